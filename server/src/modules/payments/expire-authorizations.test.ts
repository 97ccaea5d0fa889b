import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../platform/ids.ts'
import {
  type PaymentsWorld,
  createPaymentsWorld,
  succeeded,
} from '../../../test/support/payments-world.ts'
import { capturePayments } from './capture-payments.ts'
import { failureOf } from './connectors/failure-codes.ts'
import { expireAuthorizations } from './expire-authorizations.ts'
import type { GatewayReply } from './record-replies.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const DAY_MS = 86_400_000

async function expire(paymentId: string, days: number) {
  const at = new Date(Date.now() + days * DAY_MS)
  await world.run(expireAuthorizations, world.ask({ paymentId }, { at }))
  return await world.stored(paymentId)
}

test('an authorization lapses after seven days, not before', async () => {
  const { id } = await world.givenAuthorized()
  assert.equal((await expire(id, 6)).state, 'authorized')
  const over = await expire(id, 8)
  assert.deepEqual([over.state, over.cancellation_reason], ['canceled', 'authorization_expired'])
})

test('what was captured before it lapsed stays captured', async () => {
  const { id } = await world.givenAuthorized()
  const order = { captureId: newId(new Date()), paymentId: id, amount: 300n, final: false }
  await world.run(capturePayments, world.ask(order))
  await world.settleAll(id)
  const over = await expire(id, 8)
  assert.deepEqual([over.state, over.amount_captured], ['completed', 300n])
})

test('a capture on its way outlives the authorization: its answer decides', async () => {
  const { id } = await world.givenAuthorized()
  const order = { captureId: newId(new Date()), paymentId: id, amount: undefined, final: true }
  await world.run(capturePayments, world.ask(order))
  assert.equal((await expire(id, 8)).state, 'authorized')
  await world.settleAll(id)
  assert.equal((await world.stored(id)).state, 'completed')
})

test('what was on its way when the time ran out, and did not end it, makes it due again', async () => {
  for (const captured of [0n, 300n]) {
    const { id } = await world.givenAuthorized()
    const order = { captureId: newId(new Date()), paymentId: id, amount: 300n, final: false }
    await world.run(capturePayments, world.ask(order))
    await expire(id, 8)
    const attempt = (await world.claim()).find((row) => row.payment_id === id)
    assert.ok(attempt !== undefined)
    const failure = failureOf('card_declined')
    const declined: GatewayReply = { sent: true, outcome: { kind: 'declined', failure, raw: {} } }
    await world.reply(attempt, captured === 0n ? declined : succeeded(attempt))
    assert.equal((await world.stored(id)).state, 'authorized')
    const over = await expire(id, 8)
    assert.deepEqual(
      [over.state, over.amount_captured],
      [captured === 0n ? 'canceled' : 'completed', captured],
    )
  }
})
