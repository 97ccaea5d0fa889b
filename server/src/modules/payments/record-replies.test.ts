import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type PaymentsWorld,
  createPaymentsWorld,
  succeeded,
} from '../../../test/support/payments-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { newId } from '../../platform/ids.ts'
import { createRefunds } from './create-refunds.ts'
import type { GatewayReply } from './record-replies.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const DAY_MS = 86_400_000

async function givenSent() {
  const payment = await world.create(world.card())
  const attempt = (await world.claim()).find((row) => row.payment_id === payment.id)
  assert.ok(attempt !== undefined)
  return { id: payment.id, attempt }
}

const unknown: GatewayReply = { sent: true, outcome: { kind: 'unknown', cause: 'timeout' } }
const notSent: GatewayReply = { sent: true, outcome: { kind: 'not_sent', cause: 'refused' } }
const pending: GatewayReply = { sent: true, outcome: { kind: 'pending', raw: {} } }

test('a reply is recorded once: a second one under the same lease changes nothing', async () => {
  const { id, attempt } = await givenSent()
  assert.equal(await world.reply(attempt, succeeded(attempt)), 'recorded')
  const before = await world.stored(id)
  assert.equal(await world.reply(attempt, succeeded(attempt)), 'stale')
  assert.deepEqual(await world.stored(id), before)
})

test('a zombie worker, whose lease was taken over, writes nothing', async () => {
  const { id, attempt } = await givenSent()
  await world.pools.money.query(
    `update payments.attempts set lease_until = now() - interval '1 second' where id = '${attempt.id}'`,
  )
  const taken = (await world.claim()).find((row) => row.id === attempt.id)
  assert.equal(taken?.status, 'sending') // so the taker knows that it may have been sent
  assert.equal(await world.reply(attempt, succeeded(attempt)), 'stale')
  assert.equal((await world.stored(id)).state, 'pending')
})

test('an unknown outcome keeps the payment pending, and a day later a person must decide', async () => {
  const { id, attempt } = await givenSent()
  await world.reply(attempt, unknown)
  assert.equal((await world.stored(id)).state, 'pending')
  const later = new Date(Date.now() + DAY_MS + 1_000)
  const [again] = (await world.claim(world.home, later)).filter((row) => row.id === attempt.id)
  assert.ok(again !== undefined)
  await world.reply(again, { ...unknown, sent: false }, later)
  const after = await world.stored(id)
  assert.deepEqual([after.state, after.review_reason], ['needs_review', 'outcome_unknown'])
})

test('what was proven not sent is sent again, and after a day it fails: no money has moved', async () => {
  const { id, attempt } = await givenSent()
  await world.reply(attempt, notSent)
  const soon = new Date(Date.now() + 2_000)
  const [again] = (await world.claim(world.home, soon)).filter((row) => row.id === attempt.id)
  assert.equal(again?.status, 'not_sent')
  const later = new Date(Date.now() + DAY_MS + 1_000)
  await world.reply(again, notSent, later)
  const after = await world.stored(id)
  assert.deepEqual([after.state, after.failure?.code], ['failed', 'gateway_unavailable'])
})

test('an amount other than the one asked for is left to a person and not booked', async () => {
  const { id, attempt } = await givenSent()
  const before = await world.balanceOf(world.home.bob)
  await world.reply(attempt, succeeded({ amount: attempt.amount + 1n, currency: 'EUR' }))
  const after = await world.stored(id)
  assert.deepEqual([after.state, after.review_reason], ['needs_review', 'amount_mismatch'])
  assert.equal(await world.balanceOf(world.home.bob), before)
})

test('accepted is processing, and stays so while an inquiry fails', async () => {
  const { id, attempt } = await givenSent()
  await world.reply(attempt, pending)
  assert.equal((await world.stored(id)).state, 'processing')
  const later = new Date(Date.now() + 61_000)
  const [again] = (await world.claim(world.home, later)).filter((row) => row.id === attempt.id)
  assert.equal(again?.status, 'pending')
  await world.reply(again, { ...unknown, sent: false }, later)
  const much = new Date(Date.now() + 20 * 60_000)
  const [third] = (await world.claim(world.home, much)).filter((row) => row.id === attempt.id)
  assert.equal(third?.status, 'pending')
  await world.reply(third, { ...succeeded(attempt), sent: false }, much)
  assert.equal((await world.stored(id)).state, 'completed')
})

test('a gateway that has lost it, where sending again is not safe, leaves it to a person', async () => {
  const { id, attempt } = await givenSent()
  await world.reply(attempt, { outcome: { kind: 'given_up', cause: 'lost' }, sent: false })
  assert.equal((await world.stored(id)).state, 'needs_review')
})

test('an unknown refund keeps its reservation', async () => {
  const { id, attempt } = await givenSent()
  await world.reply(attempt, succeeded(attempt))
  const order = {
    refundId: newId(new Date()),
    paymentId: id,
    amount: undefined,
    reason: 'other',
    description: null,
    externalId: null,
    metadata: {},
  } as const
  await world.run(createRefunds, world.ask(order))
  const refund = (await world.claim()).find((row) => row.payment_id === id)
  await world.reply(refund as never, unknown)
  assert.equal((await world.stored(id)).refund_reserved, 1_000n)
  const again = await world.run(createRefunds, world.ask({ ...order, refundId: newId(new Date()) }))
  assert.deepEqual(verdicts(again), ['refund_exceeds_refundable'])
})

test('a batch of replies to many payments is written as one', async () => {
  const { recordReplies } = await import('./record-replies.ts')
  const given = [await givenSent(), await givenSent(), await givenSent()]
  const outcomes = await world.run(
    recordReplies,
    ...given.map(({ attempt }, index) =>
      world.ask({ attempt, reply: index === 1 ? unknown : succeeded(attempt) }),
    ),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'ok', 'ok'])
  const states = await Promise.all(given.map(async ({ id }) => (await world.stored(id)).state))
  assert.deepEqual(states, ['completed', 'pending', 'completed'])
})

test('a charge is booked for a recipient whose account was closed meanwhile, and can be refunded', async () => {
  const recipient = world.home.bob
  const payment = await world.create(world.card({ recipientAccountId: recipient }))
  const before = await world.balanceOf(recipient)
  const setStatus = (status: string) =>
    world.pools.money.query(
      `update ledger.balances set status = '${status}' where account_id = '${recipient}'`,
    )
  await setStatus('closed')
  try {
    await world.settleAll(payment.id)
    assert.equal((await world.stored(payment.id)).state, 'completed')
    assert.equal((await world.balanceOf(recipient)) - before, payment.amount)
    const refund = {
      refundId: newId(new Date()),
      paymentId: payment.id,
      amount: undefined,
      reason: 'requested_by_customer' as const,
      description: null,
      externalId: null,
      metadata: {},
    }
    assert.deepEqual(verdicts(await world.run(createRefunds, world.ask(refund))), ['ok'])
    assert.equal(await world.balanceOf(recipient), before)
  } finally {
    await setStatus('open')
  }
})
