import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { createTenant } from './create-tenant.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(() => database?.close())

test('the sandbox and the live environment of an organisation are two tenants', async () => {
  const at = new Date('2026-11-23T09:00:00Z')
  const [sandbox, live] = await inTransaction(database.pools.identity, async (tx) => [
    await createTenant(tx, { name: 'Test bank', mode: 'sandbox', at }),
    await createTenant(tx, { name: 'Test bank', mode: 'live', at }),
  ])
  const { rows } = await database.pools.read.query(
    'select tenant_id, name, mode, created_at from identity.tenants order by tenant_id',
  )
  const byId = (a: { tenant_id: string }, b: { tenant_id: string }) =>
    a.tenant_id < b.tenant_id ? -1 : 1
  assert.deepEqual(rows, [sandbox, live].map((tenant) => ({ ...tenant })).toSorted(byId as never))
})
