import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../platform/ids.ts'
import {
  type PaymentsWorld,
  createPaymentsWorld,
  succeeded,
} from '../../../test/support/payments-world.ts'
import { capturePayments } from './capture-payments.ts'
import { expireAuthorizations } from './expire-authorizations.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

const DAY_MS = 86_400_000

async function givenAuthorized() {
  const payment = await world.create(world.card({ captureMethod: 'manual' }))
  await answer(payment.id)
  return await world.stored(payment.id)
}

async function answer(paymentId: string): Promise<void> {
  for (const attempt of await world.claim()) {
    if (attempt.payment_id === paymentId) await world.reply(attempt, succeeded(attempt))
  }
}

async function expire(paymentId: string, days: number) {
  const at = new Date(Date.now() + days * DAY_MS)
  await world.run(expireAuthorizations, world.ask({ paymentId }, { at }))
  return await world.stored(paymentId)
}

test('an authorization lapses after seven days, not before', async () => {
  const { id } = await givenAuthorized()
  assert.equal((await expire(id, 6)).state, 'authorized')
  const over = await expire(id, 8)
  assert.deepEqual([over.state, over.cancellation_reason], ['canceled', 'authorization_expired'])
})

test('what was captured before it lapsed stays captured', async () => {
  const { id } = await givenAuthorized()
  const order = { captureId: newId(new Date()), paymentId: id, amount: 300n, final: false }
  await world.run(capturePayments, world.ask(order))
  await answer(id)
  const over = await expire(id, 8)
  assert.deepEqual([over.state, over.amount_captured], ['completed', 300n])
})

test('a capture on its way outlives the authorization: its answer decides', async () => {
  const { id } = await givenAuthorized()
  const order = { captureId: newId(new Date()), paymentId: id, amount: undefined, final: true }
  await world.run(capturePayments, world.ask(order))
  assert.equal((await expire(id, 8)).state, 'authorized')
  await answer(id)
  assert.equal((await world.stored(id)).state, 'completed')
})
