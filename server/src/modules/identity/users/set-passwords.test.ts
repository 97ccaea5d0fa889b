import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { publicId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { listPasswords } from './credential.queries.ts'
import { setPasswords } from './set-passwords.ts'

let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

async function stored(userId: string) {
  const db = databaseOver(database.pools.identity)
  return (await listPasswords(db, world.tenantId, [userId])).get(userId)
}

test('a new password takes the place of the old one, and ends what was issued under it', async () => {
  const { user_id: userId } = await world.givenUser()
  assert.deepEqual(await world.run(setPasswords, [{ userId, kind: 'customer', hash: 'new' }]), [
    'ok',
  ])
  assert.deepEqual(await stored(userId), { password_hash: 'new', former_hashes: [] })
  const { rows } = await database.pools.read.query(
    `select kind, reason from identity.revocations where tenant_id = $1 and value = $2`,
    [world.tenantId, publicId('usr', userId)],
  )
  assert.deepEqual(rows, [{ kind: 'subject', reason: 'password_changed' }])
  const { rows: acts } = await database.pools.read.query(
    `select action from audit.events where resource_id = $1 order by action`,
    [userId],
  )
  assert.deepEqual(acts, [{ action: 'user.create' }, { action: 'user.set_password' }])
})

test('the last four of an operator are kept', async () => {
  const { user_id: userId } = await world.givenUser('operator')
  for (const hash of ['2', '3', '4', '5', '6']) {
    await world.run(setPasswords, [{ userId, kind: 'operator', hash }])
  }
  assert.deepEqual(await stored(userId), {
    password_hash: '6',
    former_hashes: ['5', '4', '3', '2'],
  })
})

test('an unknown user is refused beside one who gets a password, and the later of two counts', async () => {
  const { user_id: userId } = await world.givenUser()
  const stranger = await world.givenUser('customer', world.otherTenant)
  const operator = await world.givenUser('operator')
  const outcomes = await world.run(setPasswords, [
    { userId: stranger.user_id, kind: 'customer', hash: 'x' },
    { userId, kind: 'customer', hash: 'one' },
    { userId: operator.user_id, kind: 'customer', hash: 'x' },
    { userId, kind: 'customer', hash: 'two' },
  ])
  assert.deepEqual(outcomes, ['user_not_found', 'ok', 'user_not_found', 'ok'])
  assert.equal((await stored(userId))?.password_hash, 'two')
  assert.equal((await stored(operator.user_id))?.password_hash, 'first')
})
