import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { newId, publicId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { listFactors } from '../users/credential.queries.ts'
import { MAX_PASSKEYS, type PasskeyEnrolment, enrolPasskeys } from './enrol-passkeys.ts'
import { listPasskeys } from './passkey.queries.ts'

const at = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

function enrolment(userId: string, credentialId: Buffer = randomBytes(16)): PasskeyEnrolment {
  const key = {
    rpId: 'bank.example',
    credentialId,
    publicKey: Buffer.of(1),
    count: 0,
    isSynced: true,
    transports: ['internal', 'hybrid'],
  }
  return { userId, passkeyId: newId(at), key, name: 'phone' }
}

async function stored(userId: string) {
  return await listPasskeys(databaseOver(database.pools.identity), world.tenantId, [userId])
}

test('a person has several passkeys, each recorded', async () => {
  const { user_id: userId } = await world.givenUser()
  const [first, second] = [enrolment(userId), enrolment(userId)]
  assert.deepEqual(await world.run(enrolPasskeys, [first, second]), ['ok', 'ok'])
  const rows = await stored(userId)
  assert.deepEqual(
    rows.map(({ passkey_id: id }) => id),
    [first.passkeyId, second.passkeyId].toSorted(),
  )
  assert.ok(rows.every(({ sign_count: count, is_synced: synced }) => count === 0n && synced))
  const db = databaseOver(database.pools.identity)
  const factors = await listFactors(db, world.tenantId, [userId])
  assert.deepEqual(factors.get(userId), ['passkey', 'password'])
  const { rows: acts } = await database.pools.read.query(
    `select detail from audit.events where action = 'user.enrol_passkey' and resource_id = $1`,
    [userId],
  )
  assert.deepEqual(
    acts.map(({ detail }: { detail: { passkey: string } }) => detail.passkey).toSorted(),
    [first, second].map(({ passkeyId }) => publicId('psk', passkeyId)).toSorted(),
  )
})

test('a key that somebody has is refused beside one that is new', async () => {
  const [ada, bert] = [await world.givenUser(), await world.givenUser()]
  const taken = enrolment(ada.user_id)
  assert.deepEqual(await world.run(enrolPasskeys, [taken]), ['ok'])
  const twice = enrolment(bert.user_id)
  const outcomes = await world.run(enrolPasskeys, [
    enrolment(bert.user_id, taken.key.credentialId),
    twice,
    enrolment(bert.user_id, twice.key.credentialId),
  ])
  assert.deepEqual(outcomes, ['passkey_enrolled', 'ok', 'passkey_enrolled'])
  assert.equal((await stored(bert.user_id)).length, 1)
})

test('nobody has more than ten, and people of another tenant none here', async () => {
  const { user_id: userId } = await world.givenUser()
  const stranger = await world.givenUser('customer', world.otherTenant)
  const many = Array.from({ length: MAX_PASSKEYS + 1 }, () => enrolment(userId))
  const outcomes = await world.run(enrolPasskeys, [enrolment(stranger.user_id), ...many])
  const oks = Array.from({ length: MAX_PASSKEYS }, () => 'ok')
  assert.deepEqual(outcomes, ['user_not_found', ...oks, 'passkey_limit_reached'])
  assert.deepEqual(await world.run(enrolPasskeys, [enrolment(userId)]), ['passkey_limit_reached'])
  assert.equal((await stored(userId)).length, MAX_PASSKEYS)
})
