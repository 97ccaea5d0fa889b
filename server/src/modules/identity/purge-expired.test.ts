import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sealingUnder } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { artifactAdapter } from './artifact-adapter.ts'
import { insertReplay } from './artifact.queries.ts'
import { purgeExpired } from './purge-expired.ts'

let database: TestDatabase

before(async () => {
  database = await createTestDatabase()
})
after(() => database?.close())

test('an expired one is still found, so that the caller hears "expired", and goes an hour later', async () => {
  const db = databaseOver(database.pools.identity)
  const codes = artifactAdapter('AuthorizationCode', {
    db,
    sealing: sealingUnder(randomBytes(32)),
    endGrant: () => Promise.reject(new Error('no grant ends here')),
  })
  const now = Math.floor(Date.now() / 1_000)
  const [lately, long] = ['lately', 'long ago']
  await codes.upsert(lately, { jti: lately, exp: now - 60 }, 60)
  await codes.upsert(long, { jti: long, exp: now - 3_700 }, 60)
  assert.equal((await codes.find(long))?.jti, long)
  assert.ok((await purgeExpired(database.pools.identity)) >= 1)
  assert.equal(await codes.find(long), undefined)
  assert.equal((await codes.find(lately))?.jti, lately)
})

test('an id counts once, and is remembered for ten minutes after it expired', async () => {
  const db = databaseOver(database.pools.identity)
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000)
  const [lately, long] = [randomBytes(32), randomBytes(32)]
  const first = await Promise.all(
    Array.from({ length: 6 }, () => insertReplay(db, lately, ago(590))),
  )
  assert.equal(first.filter(Boolean).length, 1)
  assert.equal(await insertReplay(db, long, ago(610)), true)
  await purgeExpired(database.pools.identity)
  assert.equal(await insertReplay(db, lately, ago(0)), false)
  assert.equal(await insertReplay(db, long, ago(0)), true)
})
