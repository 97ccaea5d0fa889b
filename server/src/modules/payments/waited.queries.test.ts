import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../platform/ids.ts'
import { createPaymentsWorld } from '../../../test/support/payments-world.ts'
import { createRefunds } from './create-refunds.ts'
import { waitedVersions } from './waited.queries.ts'

test('whoever waits for a refund hears of it too, also when another process has changed it', async (t) => {
  const world = await createPaymentsWorld()
  t.after(() => world.close())
  const payment = await world.givenPaid()
  const refundId = newId(new Date())
  const order = {
    refundId,
    paymentId: payment.id,
    amount: 1n,
    reason: 'other',
    description: null,
    externalId: null,
    metadata: {},
  } as const
  await world.run(createRefunds, world.ask(order))
  const ask = (objectId: string, { tenantId } = world.home) => ({ tenantId, objectId })
  const versions = await waitedVersions(world.db, [
    ask(payment.id),
    ask(refundId),
    ask(newId(new Date())),
  ])
  assert.deepEqual([versions.get(payment.id), versions.get(refundId), versions.size], [3, 1, 2])
  await world.settleAll(payment.id)
  assert.equal((await waitedVersions(world.db, [ask(refundId)])).get(refundId), 2)
  assert.equal((await waitedVersions(world.db, [ask(refundId, world.abroad)])).size, 0)
})
