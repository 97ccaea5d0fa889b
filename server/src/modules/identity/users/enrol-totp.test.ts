import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { listCredentials, useTotpStep } from './credential.queries.ts'
import { enrolTotp } from './enrol-totp.ts'

let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

async function secretOf(userId: string) {
  const rows = await listCredentials(databaseOver(database.pools.identity), world.tenantId, userId)
  return rows.find(({ kind }) => kind === 'totp')
}

test('a second factor is enrolled, and a later one takes its place with no code used', async () => {
  const db = databaseOver(database.pools.identity)
  const { user_id: userId } = await world.givenUser()
  const enrol = (byte: number) =>
    ({ userId, kind: 'customer', sealedSecret: Buffer.of(byte) }) as const
  assert.deepEqual(await world.run(enrolTotp, [enrol(1)]), ['ok'])
  assert.equal(await useTotpStep(db, world.tenantId, userId, 100), true)
  assert.equal(await useTotpStep(db, world.tenantId, userId, 100), false)
  assert.equal(await useTotpStep(db, world.tenantId, userId, 99), false)
  assert.deepEqual(await world.run(enrolTotp, [enrol(2), enrol(3)]), ['ok', 'ok'])
  const row = await secretOf(userId)
  assert.deepEqual([row?.sealed_secret, row?.last_used_step], [Buffer.of(3), 0n])
})

test('of many who use one code together one succeeds', async () => {
  const { user_id: userId } = await world.givenUser()
  await world.run(enrolTotp, [{ userId, kind: 'customer', sealedSecret: Buffer.of(1) }])
  const db = databaseOver(database.pools.identity)
  const tries = Array.from({ length: 8 }, () => useTotpStep(db, world.tenantId, userId, 7))
  assert.equal((await Promise.all(tries)).filter(Boolean).length, 1)
})

test('somebody else is refused beside one who is enrolled', async () => {
  const { user_id: userId } = await world.givenUser()
  const stranger = await world.givenUser('customer', world.otherTenant)
  const sealedSecret = Buffer.of(1)
  const outcomes = await world.run(enrolTotp, [
    { userId: stranger.user_id, kind: 'customer', sealedSecret },
    { userId, kind: 'customer', sealedSecret },
    { userId, kind: 'operator', sealedSecret },
  ])
  assert.deepEqual(outcomes, ['user_not_found', 'ok', 'user_not_found'])
  assert.equal(await secretOf(stranger.user_id), undefined)
})
