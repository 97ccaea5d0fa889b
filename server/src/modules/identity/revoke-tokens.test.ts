import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Tx } from '../../platform/db/types.ts'
import { newId } from '../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { createTenant } from './create-tenant.ts'
import type { IssuedToken } from './ended-tokens.ts'
import { type Revocations, openRevocations } from './revocation-set.ts'
import {
  readmitClient,
  revokeClients,
  revokeGrants,
  revokeSubjects,
  revokeTenants,
  revokeTokens,
} from './revoke-tokens.ts'

const at = new Date()
const reason = 'test'

let database: TestDatabase
let revocations: Revocations
let tenantId: string
let otherTenant: string

before(async () => {
  database = await createTestDatabase()
  revocations = await openRevocations(database.pools.identity, assert.ifError)
  const made = await Promise.all(
    ['Test bank', 'Other bank'].map((name) =>
      write((tx) => createTenant(tx, { name, mode: 'sandbox', at })),
    ),
  )
  ;[tenantId = '', otherTenant = ''] = made.map((tenant) => tenant.tenant_id)
})

after(async () => {
  revocations?.stop()
  await database?.close()
})

function write<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> {
  return inTransaction(database.pools.money, act)
}

function givenToken(changes: Partial<IssuedToken> = {}): IssuedToken {
  const [jti, grantId] = [newId(at), newId(at)]
  const issuedAt = at.getTime() - 1_000
  return { tenantId, clientId: 'cli_a', subject: 'usr_a', jti, grantId, issuedAt, ...changes }
}

async function isSeen(token: IssuedToken): Promise<boolean> {
  const deadline = performance.now() + 1_000
  while (performance.now() < deadline) {
    if (revocations.hasEnded(token)) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

async function storeArtifact(model: string, id: string, grantId: string | null): Promise<void> {
  await database.pools.identity.query(
    `insert into identity.artifacts (model, id_hash, payload, grant_id) values ($1, $2, '{}', $3)`,
    [model, hash('sha256', id, 'buffer'), grantId],
  )
}

async function countArtifacts(): Promise<number> {
  const { rows } = await database.pools.read.query(`select 1 from identity.artifacts`)
  return rows.length
}

test('a grant that ends takes its codes and refresh tokens and refuses its access tokens', async () => {
  const [token, other] = [givenToken(), givenToken()]
  const grantId = token.grantId as string
  await storeArtifact('Grant', grantId, null)
  await storeArtifact('RefreshToken', newId(at), grantId)
  await storeArtifact('AuthorizationCode', newId(at), grantId)
  await storeArtifact('RefreshToken', newId(at), other.grantId as string)
  const later = { ...token, issuedAt: at.getTime() + 60_000 }
  await write((tx) => revokeGrants(tx, [{ tenantId, grantId, reason, at }]))
  assert.equal(await countArtifacts(), 1)
  assert.ok(await isSeen(token))
  assert.ok(revocations.hasEnded(later), 'a grant has no second life')
  assert.equal(revocations.hasEnded(other), false)
})

test('one token ends and its neighbour lives', async () => {
  const [token, other] = [givenToken(), givenToken()]
  await write((tx) => revokeTokens(tx, [{ tenantId, jti: token.jti, reason, at }]))
  assert.ok(await isSeen(token))
  assert.equal(revocations.hasEnded(other), false)
})

test('of a user the tokens issued until then end, and later ones live', async () => {
  const token = givenToken({ subject: 'usr_b' })
  await write((tx) => revokeSubjects(tx, [{ tenantId, userId: 'usr_b', reason, at }]))
  assert.ok(await isSeen(token))
  assert.equal(revocations.hasEnded({ ...token, issuedAt: at.getTime() + 1 }), false)
})

test('what a node issued to a client before it heard of the change is refused too', async () => {
  const token = givenToken({ clientId: 'cli_b', subject: 'cli_b', grantId: undefined })
  await write((tx) => revokeClients(tx, [{ tenantId, clientId: 'cli_b', reason, at }]))
  assert.ok(await isSeen(token))
  assert.ok(revocations.hasEnded({ ...token, issuedAt: at.getTime() + 2_000 }))
  assert.equal(revocations.hasEnded({ ...token, issuedAt: at.getTime() + 3_000 }), false)
})

test('a client taken out for good comes back with new tokens only', async () => {
  const clientId = 'cli_c'
  const token = givenToken({ clientId })
  const fresh = { ...token, issuedAt: at.getTime() + 10_000 }
  await write((tx) => revokeClients(tx, [{ tenantId, clientId, reason, at, forGood: true }]))
  assert.ok(await isSeen(fresh))
  const seen = revocations.version()
  const readmitted = new Date(at.getTime() + 5_000)
  await write((tx) => readmitClient(tx, { tenantId, clientId, at: readmitted }))
  while (revocations.version() === seen) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(revocations.hasEnded(fresh), false)
  assert.ok(revocations.hasEnded(token))
})

test('a tenant that ends takes all its tokens, and those of no other tenant', async () => {
  const token = givenToken({ tenantId: otherTenant })
  await write((tx) => revokeTenants(tx, [{ tenantId: otherTenant, reason, at }]))
  assert.ok(await isSeen(token))
  assert.equal(revocations.hasEnded(givenToken()), false)
})

test("another tenant's revocation of the same name ends nothing here", async () => {
  const token = givenToken()
  const foreign = { tenantId: otherTenant, reason, at }
  await write(async (tx) => {
    await revokeTokens(tx, [{ ...foreign, jti: token.jti }])
    await revokeGrants(tx, [{ ...foreign, grantId: token.grantId as string }])
    await revokeSubjects(tx, [{ ...foreign, userId: token.subject }])
  })
  const marker = givenToken()
  await write((tx) => revokeTokens(tx, [{ tenantId, jti: marker.jti, reason, at }]))
  assert.ok(await isSeen(marker))
  assert.equal(revocations.hasEnded(token), false)
})

test('a thing revoked twice, in one call or in two, is one row until the later end', async () => {
  const token = givenToken({ subject: 'usr_twice' })
  const end = { tenantId, userId: 'usr_twice', reason, at }
  const later = { ...end, at: new Date(at.getTime() + 5_000) }
  await write((tx) => revokeSubjects(tx, [later, end]))
  await write((tx) => revokeSubjects(tx, [end]))
  assert.ok(await isSeen({ ...token, issuedAt: at.getTime() + 5_000 }))
  const { rows } = await database.pools.read.query(
    `select 1 from identity.revocations where value = 'usr_twice'`,
  )
  assert.equal(rows.length, 1)
})

test('a revocation that commits after later ones were seen is not missed', async () => {
  const [slow, quick] = [givenToken(), givenToken()]
  const held = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const commit = inTransaction(database.pools.identity, async (tx) => {
    await revokeTokens(tx, [{ tenantId, jti: slow.jti, reason, at }])
    written.resolve()
    await held.promise
  })
  await written.promise
  await write((tx) => revokeTokens(tx, [{ tenantId, jti: quick.jti, reason, at }]))
  assert.ok(await isSeen(quick))
  assert.equal(revocations.hasEnded(slow), false)
  held.resolve()
  await commit
  assert.ok(await isSeen(slow))
})

test('a node that starts later knows what was revoked before it', async () => {
  const token = givenToken()
  await write((tx) => revokeTokens(tx, [{ tenantId, jti: token.jti, reason, at }]))
  const late = await openRevocations(database.pools.identity, assert.ifError)
  late.stop()
  assert.ok(late.hasEnded(token))
})
