import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { publicId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { findActivePerson } from './person.queries.ts'
import { changeUserStatus } from './change-user-status.ts'
import { findUser } from './user.queries.ts'

let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

test('somebody who is kept out is nobody to the sign-in, and his tokens are refused', async () => {
  const db = databaseOver(database.pools.identity)
  const { user_id: userId } = await world.givenUser()
  const to = (status: 'active' | 'disabled') => ({ userId, kind: 'customer', status }) as const
  assert.deepEqual(await world.run(changeUserStatus(undefined), [to('disabled')]), ['ok'])
  assert.equal(await findActivePerson(db, world.tenantId, userId), undefined)
  const { rows } = await database.pools.read.query(
    `select kind, reason from identity.revocations where tenant_id = $1 and value = $2`,
    [world.tenantId, publicId('usr', userId)],
  )
  assert.deepEqual(rows, [{ kind: 'subject', reason: 'user_disabled' }])
  assert.deepEqual(await world.run(changeUserStatus(undefined), [to('active')]), ['ok'])
  assert.equal((await findActivePerson(db, world.tenantId, userId))?.user_id, userId)
  assert.equal((await findUser(db, world.tenantId, userId))?.version, 3)
})

test('done again it changes nothing, and somebody else is refused beside it', async () => {
  const { user_id: userId } = await world.givenUser()
  const stranger = await world.givenUser('customer', world.otherTenant)
  const status = 'disabled'
  const outcomes = await world.run(changeUserStatus(undefined), [
    { userId, kind: 'customer', status },
    { userId, kind: 'customer', status },
    { userId: stranger.user_id, kind: 'customer', status },
    { userId, kind: 'operator', status },
  ])
  assert.deepEqual(outcomes, ['ok', 'ok', 'user_not_found', 'user_not_found'])
  const db = databaseOver(database.pools.identity)
  assert.equal((await findUser(db, world.tenantId, userId))?.version, 2)
  assert.equal((await findUser(db, world.otherTenant, stranger.user_id))?.status, 'active')
})
