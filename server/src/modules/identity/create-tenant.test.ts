import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../platform/ids.ts'
import { createTenant } from './create-tenant.ts'
import { listTenants } from './tenant.queries.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(() => database?.close())

const at = new Date('2026-11-23T09:00:00Z')

test('the sandbox and the live environment of an organisation are two tenants', async () => {
  const made = await inTransaction(database.pools.identity, async (tx) => [
    await createTenant(tx, { name: 'Test bank', mode: 'sandbox', at }),
    await createTenant(tx, { name: 'Test bank', mode: 'live', at }),
  ])
  const oldestFirst = made.toSorted((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1))
  assert.deepEqual(await inTransaction(database.pools.identity, listTenants), oldestFirst)
})

test('a tenant can be given the id that a credentials file promised, once', async () => {
  const tenantId = newId(at)
  const create = () =>
    inTransaction(database.pools.identity, (tx) =>
      createTenant(tx, { name: 'Test bank', mode: 'sandbox', at, tenantId }),
    )
  assert.equal((await create()).tenant_id, tenantId)
  await assert.rejects(create(), /duplicate key/)
})
