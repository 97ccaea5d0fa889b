import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { hashSecret } from './client-secret.ts'
import { assertStoredClients } from './client-directory.ts'
import { type NewClient, createClient } from './create-client.ts'
import { createTenant } from '../create-tenant.ts'

const at = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let tenantId: string

before(async () => {
  database = await createTestDatabase()
  const tenant = await inTransaction(database.pools.identity, (tx) =>
    createTenant(tx, { name: 'Test bank', mode: 'live', at }),
  )
  tenantId = tenant.tenant_id
})
after(() => database?.close())

function create(changes: Partial<NewClient> = {}) {
  const asked: NewClient = {
    tenantId,
    name: 'Back office',
    kind: 'service',
    grantTypes: ['client_credentials'],
    scope: 'payments:read',
    authMethod: 'client_secret_basic',
    at,
    ...changes,
  }
  return inTransaction(database.pools.identity, (tx) => createClient(tx, asked))
}

async function stored(clientId: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database.pools.read.query(
    'select * from identity.clients where client_id = $1',
    [clientId],
  )
  return rows[0] as Record<string, unknown> | undefined
}

test('the secret of a new client is shown once and kept as a hash', async () => {
  const { clientId, clientSecret = '' } = await create()
  assert.match(clientId, /^cli_[0-9a-z]{26}$/)
  assert.match(clientSecret, /^chs_live_/)
  const row = await stored(clientId)
  assert.deepEqual(
    [row?.['tenant_id'], row?.['status'], row?.['created_at']],
    [tenantId, 'active', at],
  )
  assert.equal(JSON.stringify(row).includes(clientSecret), false)
})

test('a client can be given the id and secret that a credentials file promised', async () => {
  const identity = { clientId: 'cli_01m836v458fxw8j7xkybtqzath', clientSecret: 'chs_live_promised' }
  assert.deepEqual(await create({ identity }), identity)
  const row = await stored(identity.clientId)
  assert.deepEqual(row?.['secret_hashes'], [hashSecret(identity.clientSecret)])
})

test('a client that authenticates by its key has no secret', async () => {
  const { publicKey } = await crypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['sign', 'verify'],
  )
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const jwks = { keys: [{ kty, crv, x, y }] }
  const made = await create({ authMethod: 'private_key_jwt', jwks })
  assert.equal(made.clientSecret, undefined)
  const row = await stored(made.clientId)
  assert.deepEqual([row?.['secret_hashes'], row?.['jwks']], [[], jwks])
})

test('a client that breaks a rule is not written', async () => {
  const name = 'Too much'
  await assert.rejects(create({ name, scope: 'test_helpers' }), /Too much.*sandbox/)
  const { rows } = await database.pools.read.query(
    'select 1 from identity.clients where name = $1',
    [name],
  )
  assert.equal(rows.length, 0)
})

test('a client of a tenant that does not exist is not written', async () => {
  await assert.rejects(create({ tenantId: '01900000-0000-7000-8000-000000000000' }), /no tenant/)
})

test('a stored client that today breaks a rule fails the boot, unless it is disabled', async () => {
  const db = databaseOver(database.pools.identity)
  const { clientId } = await create()
  await assertStoredClients(db)
  const set = (column: 'scope' | 'status', value: string) =>
    database.pools.identity.query(
      `update identity.clients set ${column} = $1 where client_id = $2`,
      [value, clientId],
    )
  await set('scope', 'payments:everything')
  await assert.rejects(assertStoredClients(db), new RegExp(`${clientId}: scope names the unknown`))
  await set('status', 'disabled')
  await assertStoredClients(db)
})
