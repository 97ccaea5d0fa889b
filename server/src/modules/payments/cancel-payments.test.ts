import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type PaymentsWorld,
  createPaymentsWorld,
  succeeded,
} from '../../../test/support/payments-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { cancelPayments } from './cancel-payments.ts'
import { capturePayments } from './capture-payments.ts'
import { newId } from '../../platform/ids.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const order = (paymentId: string) => ({ paymentId, reason: 'not wanted' })

test('a payment that no gateway has heard of is canceled, and never sent', async () => {
  const { id } = await world.create(world.card())
  assert.deepEqual(verdicts(await world.run(cancelPayments, world.ask(order(id)))), ['ok'])
  assert.equal((await world.stored(id)).state, 'canceled')
  assert.ok(!(await world.claim()).some((attempt) => attempt.payment_id === id))
})

test('a payment on its way to the gateway is not canceled', async () => {
  const { id } = await world.create(world.card())
  const claimed = (await world.claim()).find((attempt) => attempt.payment_id === id)
  assert.ok(claimed !== undefined)
  const outcomes = await world.run(cancelPayments, world.ask(order(id)))
  assert.deepEqual(verdicts(outcomes), ['payment_not_cancelable'])
  await world.reply(claimed, succeeded(claimed))
  assert.equal((await world.stored(id)).state, 'completed')
})

test('a cancel and a claim that race: either the payment is canceled or it is sent, never both', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { id } = await world.create(world.card())
    const [outcomes, claimed] = await Promise.all([
      world.run(cancelPayments, world.ask(order(id))),
      world.claim(),
    ])
    const canceled = verdicts(outcomes)[0] === 'ok'
    const again = await world.claim()
    const sent = [...claimed, ...again].some((attempt) => attempt.payment_id === id)
    assert.notEqual(canceled, sent)
  }
})

test('an authorization is voided at the gateway, once, however often it is asked', async () => {
  const { id } = await world.givenAuthorized()
  const outcomes = await world.run(cancelPayments, world.ask(order(id)), world.ask(order(id)))
  assert.deepEqual(verdicts(outcomes), ['ok', 'ok'])
  assert.equal((await world.stored(id)).state, 'authorized')
  const voids = (await world.claim()).filter((attempt) => attempt.payment_id === id)
  assert.deepEqual(
    voids.map((attempt) => attempt.operation),
    ['void'],
  )
  await world.reply(voids[0] as never, succeeded(voids[0] as never))
  assert.equal((await world.stored(id)).state, 'canceled')
  assert.deepEqual(verdicts(await world.run(cancelPayments, world.ask(order(id)))), ['ok'])
})

test('a payment being voided cannot be captured, and one being captured cannot be voided', async () => {
  const capture = (paymentId: string) => ({
    captureId: newId(new Date()),
    paymentId,
    amount: undefined,
    final: false,
  })
  const voided = await world.givenAuthorized()
  await world.run(cancelPayments, world.ask(order(voided.id)))
  const late = await world.run(capturePayments, world.ask(capture(voided.id)))
  assert.deepEqual(verdicts(late), ['payment_busy'])

  const captured = await world.givenAuthorized()
  await world.run(capturePayments, world.ask(capture(captured.id)))
  const tooLate = await world.run(cancelPayments, world.ask(order(captured.id)))
  assert.deepEqual(verdicts(tooLate), ['payment_busy'])
})

test('what is done, or of another tenant, is not canceled', async () => {
  const done = await world.create(world.book({ amount: 1n }))
  const outcomes = await world.run(cancelPayments, world.ask(order(done.id)))
  assert.deepEqual(verdicts(outcomes), ['payment_not_cancelable'])
  const { abroad } = world
  const foreign = await world.run(cancelPayments, world.ask(order(done.id), { world: abroad }))
  assert.deepEqual(verdicts(foreign), ['payment_not_found'])
})
