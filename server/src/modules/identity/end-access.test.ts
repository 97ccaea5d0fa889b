import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sealingUnder } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { artifactAdapter } from './artifact-adapter.ts'
import type { KeptOut } from './consent-slot.ts'
import { createClient } from './clients/create-client.ts'
import { createTenant } from './create-tenant.ts'
import { endAccess } from './end-access.ts'

const SOON = Math.floor(Date.now() / 1_000) + 600
let database: TestDatabase
let tenantId: string

before(async () => {
  database = await createTestDatabase()
  const asked = { name: 'A', mode: 'sandbox', at: new Date() } as const
  const made = await inTransaction(database.pools.identity, (tx) => createTenant(tx, asked))
  tenantId = made.tenant_id
})
after(() => database?.close())

async function givenClient(): Promise<string> {
  const asked = {
    tenantId,
    name: 'App',
    kind: 'third_party',
    grantTypes: ['authorization_code', 'refresh_token'],
    scope: 'openid balance:read',
    authMethod: 'client_secret_basic',
    redirectUris: ['http://127.0.0.1/callback'],
    at: new Date(),
  } as const
  const made = await inTransaction(database.pools.identity, (tx) => createClient(tx, asked))
  return made.clientId
}

/** What the library keeps of somebody who has given a client something; answers how to count it. */
async function givenArtifacts(accountId: string, clientId: string) {
  const parts = {
    db: databaseOver(database.pools.identity),
    sealing: sealingUnder(randomBytes(32)),
    endGrant: async () => undefined,
  }
  const grantId = `grt_${randomBytes(6).toString('hex')}`
  const ids: Buffer[] = []
  for (const model of ['Grant', 'AuthorizationCode', 'RefreshToken', 'Session']) {
    const jti = model === 'Grant' ? grantId : randomBytes(8).toString('hex')
    const owned = { kind: model, jti, exp: SOON, accountId }
    const more = model === 'Session' ? {} : { clientId, ...(model !== 'Grant' && { grantId }) }
    await artifactAdapter(model, parts).upsert(jti, { ...owned, ...more }, 600)
    ids.push(hash('sha256', jti, 'buffer'))
  }
  return async () => {
    const { rows } = await database.pools.identity.query<{ model: string }>(
      `select model from identity.artifacts where id_hash = any($1) order by model`,
      [ids],
    )
    return rows.map(({ model }) => model)
  }
}

const end = (...ended: KeptOut[]) =>
  inTransaction(database.pools.identity, (tx) => endAccess(tx, tenantId, ended, undefined))
const ALL = ['AuthorizationCode', 'Grant', 'RefreshToken', 'Session']

test('whoever is kept out loses grants, codes, refresh tokens and sessions, and nobody else does', async () => {
  const app = await givenClient()
  const [his, hers] = [await givenArtifacts('usr_he', app), await givenArtifacts('usr_she', app)]
  await end({ tenantId, userId: 'usr_he', reason: 'user_disabled', at: new Date() })
  assert.deepEqual([await his(), await hers()], [[], ALL])
  await end({ tenantId, userId: 'usr_he', reason: 'user_disabled', at: new Date() })
  assert.deepEqual(await hers(), ALL)
})

test('a client that is kept out loses what people gave it; their sessions are not its own', async () => {
  const [app, other] = [await givenClient(), await givenClient()]
  const [gone, kept] = [await givenArtifacts('usr_1', app), await givenArtifacts('usr_1', other)]
  await end({ tenantId, clientId: app, reason: 'client_disabled', at: new Date() })
  assert.deepEqual([await gone(), await kept()], [['Session'], ALL])
})
