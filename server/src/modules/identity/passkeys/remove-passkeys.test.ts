import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { newId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { enrolPasskeys } from './enrol-passkeys.ts'
import { listPasskeys } from './passkey.queries.ts'
import { removePasskeys } from './remove-passkeys.ts'

const at = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

async function givenPasskey(userId: string): Promise<string> {
  const [credentialId, publicKey] = [randomBytes(16), Buffer.of(1)]
  const key = { rpId: 'a.example', credentialId, publicKey, count: 0, isSynced: false }
  const passkeyId = newId(at)
  const input = { userId, passkeyId, key: { ...key, transports: [] }, name: 'phone' }
  assert.deepEqual(await world.run(enrolPasskeys, [input]), ['ok'])
  return passkeyId
}

async function idsOf(userId: string): Promise<string[]> {
  const db = databaseOver(database.pools.identity)
  const rows = await listPasskeys(db, world.tenantId, [userId])
  return rows.map(({ passkey_id: id }) => id)
}

test('one passkey goes and the other stays; a second removal finds nothing', async () => {
  const { user_id: userId } = await world.givenUser()
  const [gone, kept] = [await givenPasskey(userId), await givenPasskey(userId)]
  const input = { userId, kind: 'customer', passkeyId: gone } as const
  const outcomes = await world.run(removePasskeys, [input, input])
  assert.deepEqual(outcomes, ['ok', 'passkey_not_found'])
  assert.deepEqual(await idsOf(userId), [kept])
  assert.deepEqual(await world.run(removePasskeys, [input]), ['passkey_not_found'])
  const { rows } = await database.pools.read.query(
    `select 1 from audit.events where action = 'user.remove_passkey' and resource_id = $1`,
    [userId],
  )
  assert.equal(rows.length, 1)
})

test('under another name, as another kind or from another tenant nothing goes', async () => {
  const [ada, bert] = [await world.givenUser(), await world.givenUser()]
  const passkeyId = await givenPasskey(ada.user_id)
  const kind = 'customer' as const
  const outcomes = await world.run(removePasskeys, [
    { userId: bert.user_id, kind, passkeyId },
    { userId: ada.user_id, kind: 'operator', passkeyId },
  ])
  assert.deepEqual(outcomes, ['passkey_not_found', 'user_not_found'])
  const own = { userId: ada.user_id, kind, passkeyId }
  const elsewhere = await world.run(removePasskeys, [own], world.otherTenant)
  assert.deepEqual(elsewhere, ['user_not_found'])
  assert.deepEqual(await idsOf(ada.user_id), [passkeyId])
  const foreign = { userId: bert.user_id, kind, passkeyId }
  assert.deepEqual(await world.run(removePasskeys, [foreign, own]), ['passkey_not_found', 'ok'])
})
