import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { errors } from 'oidc-provider'
import { sealingUnder } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { artifactAdapter } from './artifact-adapter.ts'

const sealing = sealingUnder(randomBytes(32))
const SOON = Math.floor(Date.now() / 1_000) + 600
const ended: string[] = []
let database: TestDatabase

before(async () => {
  database = await createTestDatabase()
})
after(() => database?.close())

function adapter(model: string) {
  return artifactAdapter(model, {
    db: databaseOver(database.pools.identity),
    sealing,
    endGrant: async (grantId) => {
      ended.push(grantId)
    },
  })
}

function newId(): string {
  return randomBytes(16).toString('base64url')
}

test('what was stored is found again by its id, and by the uid of a session', async () => {
  const sessions = adapter('Session')
  const [jti, uid] = [newId(), newId()]
  const session = { kind: 'Session', jti, uid, exp: SOON, accountId: 'usr_1' }
  await sessions.upsert(jti, session, 600)
  assert.deepEqual(await sessions.find(jti), session)
  assert.deepEqual(await sessions.findByUid(uid), session)
  await sessions.upsert(jti, { ...session, accountId: 'usr_2' }, 600)
  assert.equal((await sessions.find(jti))?.accountId, 'usr_2')
  assert.equal(await adapter('AuthorizationCode').find(jti), undefined)
  await sessions.destroy(jti)
  assert.equal(await sessions.find(jti), undefined)
})

test('whoever reads the table holds no code, no session and no name', async () => {
  const jti = newId()
  const code = {
    kind: 'AuthorizationCode',
    jti,
    exp: SOON,
    grantId: newId(),
    accountId: 'usr_secret',
  }
  await adapter('AuthorizationCode').upsert(jti, code, 60)
  const { rows } = await database.pools.read.query(
    `select *, encode(id_hash, 'escape') from identity.artifacts`,
  )
  const text = JSON.stringify(rows)
  assert.ok(rows.length > 0)
  assert.equal(text.includes(jti) || text.includes('usr_secret'), false)
})

test('of parallel redemptions of one code exactly one succeeds', async () => {
  const codes = adapter('AuthorizationCode')
  for (let round = 0; round < 5; round += 1) {
    const jti = newId()
    await codes.upsert(jti, { kind: 'AuthorizationCode', jti, exp: SOON }, 60)
    const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => codes.consume(jti)))
    const lost = attempts.filter((attempt) => attempt.status === 'rejected')
    assert.equal(lost.length, 5)
    for (const { reason } of lost) assert.ok(reason instanceof errors.InvalidGrant)
    assert.ok(Number((await codes.find(jti))?.['consumed']) > 0)
  }
})

test('a pushed request used twice is refused by its own name', async () => {
  const requests = adapter('PushedAuthorizationRequest')
  const jti = newId()
  await requests.upsert(jti, { jti, exp: SOON }, 60)
  await requests.consume(jti)
  await assert.rejects(requests.consume(jti), errors.InvalidRequestUri)
})

test('the end of a grant is left to whoever ends all of it', async () => {
  const tokens = adapter('RefreshToken')
  const [jti, grantId] = [newId(), newId()]
  await tokens.upsert(jti, { jti, exp: SOON, grantId }, 60)
  await tokens.revokeByGrantId(grantId)
  assert.equal((await tokens.find(jti))?.jti, jti)
  await adapter('Grant').destroy(grantId)
  assert.deepEqual(ended, [grantId])
})
