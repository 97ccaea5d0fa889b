import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PaymentsWorld, createPaymentsWorld } from '../../../test/support/payments-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { refreshPayments } from './refresh-payments.ts'

let world: PaymentsWorld
before(async () => {
  world = await createPaymentsWorld()
})
after(() => world.close())

test('a payment whose outcome is unknown is asked about at once instead of later', async () => {
  const { id } = await world.create(world.card())
  const [attempt] = await world.claim()
  assert.ok(attempt !== undefined)
  await world.reply(attempt, { sent: true, outcome: { kind: 'unknown', cause: 'timeout' } })
  assert.equal((await world.claim()).length, 0)
  const outcomes = await world.run(refreshPayments, world.ask({ paymentId: id }))
  assert.deepEqual(verdicts(outcomes), ['ok'])
  assert.equal((await world.claim()).length, 1)
})

test('refreshing what is not there, or not of this tenant, is refused', async () => {
  const { id } = await world.create(world.card())
  const { abroad } = world
  const outcomes = await world.run(refreshPayments, world.ask({ paymentId: id }, { world: abroad }))
  assert.deepEqual(verdicts(outcomes), ['payment_not_found'])
})
