import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { hashSecret } from './client-secret.ts'
import { createClient } from './create-client.ts'
import { createTenant } from '../create-tenant.ts'
import { rotateClientSecret } from './rotate-client-secret.ts'

const at = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let tenantId: string
let otherTenantId: string

before(async () => {
  database = await createTestDatabase()
  const make = () =>
    inTransaction(database.pools.identity, (tx) =>
      createTenant(tx, { name: 'Test bank', mode: 'live', at }),
    )
  tenantId = (await make()).tenant_id
  otherTenantId = (await make()).tenant_id
})
after(() => database?.close())

async function givenClient() {
  const { clientId, clientSecret = '' } = await inTransaction(database.pools.identity, (tx) =>
    createClient(tx, {
      tenantId,
      name: 'Back office',
      kind: 'service',
      grantTypes: ['client_credentials'],
      scope: 'payments:read',
      authMethod: 'client_secret_basic',
      at,
    }),
  )
  return { clientId, clientSecret }
}

function rotate(clientId: string, changes: { tenantId?: string; endOld?: boolean } = {}) {
  return inTransaction(database.pools.identity, (tx) =>
    rotateClientSecret(tx, { tenantId, clientId, ...changes }),
  )
}

async function hashes(clientId: string): Promise<string[]> {
  const { rows } = await database.pools.read.query(
    'select secret_hashes from identity.clients where client_id = $1',
    [clientId],
  )
  return (rows[0] as { secret_hashes: string[] }).secret_hashes
}

test('a new secret works beside the newest old one, and the one before ends', async () => {
  const { clientId, clientSecret: first } = await givenClient()
  const { clientSecret: second } = await rotate(clientId)
  assert.deepEqual(await hashes(clientId), [second, first].map(hashSecret))
  const { clientSecret: third } = await rotate(clientId)
  assert.deepEqual(await hashes(clientId), [third, second].map(hashSecret))
})

test('after a leak the new secret is the only one', async () => {
  const { clientId } = await givenClient()
  await rotate(clientId)
  const { clientSecret } = await rotate(clientId, { endOld: true })
  assert.deepEqual(await hashes(clientId), [hashSecret(clientSecret)])
})

test("another tenant's client keeps its secret", async () => {
  const { clientId, clientSecret } = await givenClient()
  await assert.rejects(rotate(clientId, { tenantId: otherTenantId }), /no client/)
  assert.deepEqual(await hashes(clientId), [hashSecret(clientSecret)])
})
