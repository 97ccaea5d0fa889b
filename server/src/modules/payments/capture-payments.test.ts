import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../platform/ids.ts'
import { type PaymentsWorld, createPaymentsWorld } from '../../../test/support/payments-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { capturePayments } from './capture-payments.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const order = (paymentId: string, amount?: bigint, final = false) => ({
  captureId: newId(new Date()),
  paymentId,
  amount,
  final,
})

test('captures that race share what was authorized: seven of 30 on 100, three are taken on', async () => {
  const { id } = await world.givenAuthorized(100n)
  const outcomes = await Promise.all(
    Array.from({ length: 7 }, () => world.run(capturePayments, world.ask(order(id, 30n)))),
  )
  const codes = outcomes.flatMap(verdicts)
  assert.equal(codes.filter((code) => code === 'ok').length, 3)
  assert.equal(codes.filter((code) => code === 'capture_exceeds_authorized').length, 4)
  await world.settleAll(id)
  const after = await world.stored(id)
  assert.equal(after.amount_captured, 90n)
  assert.equal(after.capture_reserved, 0n)
  assert.equal(after.state, 'authorized')
})

test('two captures of one payment in a batch are judged one after the other', async () => {
  const { id } = await world.givenAuthorized(100n)
  const outcomes = await world.run(
    capturePayments,
    world.ask(order(id, 60n)),
    world.ask(order(id, 60n)),
    world.ask(order(id, 40n)),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'capture_exceeds_authorized', 'ok'])
})

test('nothing is captured beside a final capture', async () => {
  const { id } = await world.givenAuthorized(100n)
  const outcomes = await world.run(
    capturePayments,
    world.ask(order(id, 10n, true)),
    world.ask(order(id, 10n)),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'payment_busy'])
  await world.settleAll(id)
  const after = await world.stored(id)
  assert.deepEqual([after.state, after.amount_captured], ['completed', 10n])
})

test('a capture of all that is left completes the payment without being called final', async () => {
  const { id } = await world.givenAuthorized(100n)
  await world.run(capturePayments, world.ask(order(id, 100n)))
  await world.settleAll(id)
  assert.equal((await world.stored(id)).state, 'completed')
})

test('a refused capture leaves its neighbours in the batch captured', async () => {
  const small = await world.givenAuthorized(500n)
  const large = await world.givenAuthorized(900n)
  const outcomes = await world.run(
    capturePayments,
    world.ask(order(small.id, 501n)),
    world.ask(order(large.id, 900n)),
    world.ask(order(newId(new Date()), 1n)),
  )
  assert.deepEqual(verdicts(outcomes), ['capture_exceeds_authorized', 'ok', 'payment_not_found'])
  assert.equal((await world.stored(small.id)).capture_reserved, 0n)
})

test('a declined capture frees its amount, and the authorization stands', async () => {
  const { id } = await world.givenAuthorized(100n)
  await world.run(capturePayments, world.ask(order(id, undefined, true)))
  const attempt = (await world.claim()).find((row) => row.payment_id === id)
  assert.ok(attempt !== undefined)
  const failure = {
    code: 'processing_error',
    category: 'soft',
    message: '',
    advice: 'retry_later',
    gateway_code: null,
    network_code: null,
  } as const
  await world.reply(attempt, { sent: true, outcome: { kind: 'declined', failure, raw: {} } })
  const after = await world.stored(id)
  assert.deepEqual([after.state, after.capture_reserved], ['authorized', 0n])
  assert.deepEqual(verdicts(await world.run(capturePayments, world.ask(order(id)))), ['ok'])
})

test('what is not authorized, or of another tenant, is not captured', async () => {
  const pending = await world.create(world.card())
  const { id } = await world.givenAuthorized(100n)
  const refused = await world.run(capturePayments, world.ask(order(pending.id)))
  assert.deepEqual(verdicts(refused), ['payment_not_capturable'])
  const { abroad } = world
  const foreign = await world.run(capturePayments, world.ask(order(id), { world: abroad }))
  assert.deepEqual(verdicts(foreign), ['payment_not_found'])
})
