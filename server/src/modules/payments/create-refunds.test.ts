import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../platform/ids.ts'
import { type PaymentsWorld, createPaymentsWorld } from '../../../test/support/payments-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { type RefundOrder, createRefunds } from './create-refunds.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const order = (
  paymentId: string,
  amount?: bigint,
  more: Partial<RefundOrder> = {},
): RefundOrder => ({
  refundId: newId(new Date()),
  paymentId,
  amount,
  reason: 'requested_by_customer',
  description: null,
  externalId: null,
  metadata: {},
  ...more,
})

test('a refund takes the money from the recipient before the gateway is asked', async () => {
  const { id } = await world.givenPaid()
  const before = await world.balanceOf(world.home.bob)
  const outcomes = await world.run(createRefunds, world.ask(order(id, 400n)))
  assert.deepEqual(verdicts(outcomes), ['ok'])
  assert.equal(before - (await world.balanceOf(world.home.bob)), 400n)
  assert.equal((await world.stored(id)).refund_reserved, 400n)
})

test('two refunds of one payment in a batch are judged one after the other', async () => {
  const { id } = await world.givenPaid()
  const outcomes = await world.run(
    createRefunds,
    world.ask(order(id, 600n)),
    world.ask(order(id, 600n)),
    world.ask(order(id, 400n)),
    world.ask(order(id)),
  )
  assert.deepEqual(verdicts(outcomes), [
    'ok',
    'refund_exceeds_refundable',
    'ok',
    'refund_exceeds_refundable',
  ])
  assert.equal((await world.stored(id)).refund_reserved, 1_000n)
})

test('a hundred parallel refunds of 60 on a captured 100: exactly one is taken on', async () => {
  const { id } = await world.givenPaid(100n)
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, () => world.run(createRefunds, world.ask(order(id, 60n)))),
  )
  const codes = outcomes.flatMap(verdicts)
  assert.equal(codes.filter((code) => code === 'ok').length, 1)
  assert.equal(codes.filter((code) => code === 'refund_exceeds_refundable').length, 99)
})

test('a refund that the gateway declines gives the amount back, and it can be refunded again', async () => {
  const { id } = await world.givenPaid()
  const before = await world.balanceOf(world.home.bob)
  await world.run(createRefunds, world.ask(order(id, 1_000n)))
  const attempt = (await world.claim()).find((row) => row.payment_id === id)
  assert.ok(attempt !== undefined)
  const failure = {
    code: 'gateway_refused',
    category: 'technical',
    message: '',
    advice: 'contact_us',
    gateway_code: null,
    network_code: null,
  } as const
  await world.reply(attempt, { sent: true, outcome: { kind: 'declined', failure, raw: {} } })
  assert.equal(await world.balanceOf(world.home.bob), before)
  assert.equal((await world.stored(id)).refund_reserved, 0n)
  assert.deepEqual(verdicts(await world.run(createRefunds, world.ask(order(id)))), ['ok'])
})

test('a recipient who is short of funds is not overdrawn by a refund', async () => {
  const { id } = await world.givenPaid()
  const balance = await world.balanceOf(world.home.bob)
  const { createPayments } = await import('./create-payments.ts')
  const emptied = world.book({
    amount: balance,
    sourceAccountId: world.home.bob,
    recipientAccountId: world.home.alice,
  })
  assert.deepEqual(verdicts(await world.run(createPayments, world.ask(emptied))), ['ok'])
  const outcomes = await world.run(createRefunds, world.ask(order(id, 1n)))
  assert.deepEqual(verdicts(outcomes), ['insufficient_funds'])
  assert.equal((await world.stored(id)).refund_reserved, 0n)
})

test('the refund of a book payment is done at once', async () => {
  const payment = await world.create(world.book({ amount: 300n }))
  const outcomes = await world.run(createRefunds, world.ask(order(payment.id, 100n)))
  assert.equal(outcomes[0]?.ok === true && outcomes[0].value.status, 'completed')
  const now = await world.stored(payment.id)
  assert.equal(now.amount_refunded, 100n)
})

test('what was never captured, or is not of this tenant, is not refunded', async () => {
  const pending = await world.create(world.card())
  const paid = await world.givenPaid()
  const outcomes = await world.run(createRefunds, world.ask(order(pending.id)))
  assert.deepEqual(verdicts(outcomes), ['payment_not_refundable'])
  const { abroad } = world
  const foreign = await world.run(createRefunds, world.ask(order(paid.id), { world: abroad }))
  assert.deepEqual(verdicts(foreign), ['payment_not_found'])
})

test('a refund has its own external id, taken once', async () => {
  const { id } = await world.givenPaid()
  const externalId = `ref-${newId(new Date())}`
  const outcomes = await world.run(
    createRefunds,
    world.ask(order(id, 10n, { externalId })),
    world.ask(order(id, 10n, { externalId })),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'refund_external_id_taken'])
})
