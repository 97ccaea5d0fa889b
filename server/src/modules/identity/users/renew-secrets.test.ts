import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sealingUnder } from '../../../platform/crypto/sealing.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { type PeopleWorld, openPeopleWorld } from '../../../../test/support/people-world.ts'
import { listCredentials } from './credential.queries.ts'
import { enrolTotp } from './enrol-totp.ts'
import { isPassword } from './password-hash.ts'
import { renewSecrets } from './renew-secrets.ts'
import { totpContext } from './totp-context.ts'
import { newTotpSecret, toBase32 } from './totp.ts'

const sealing = sealingUnder(randomBytes(32))
let database: TestDatabase
let world: PeopleWorld

before(async () => {
  database = await createTestDatabase()
  world = await openPeopleWorld(database)
})
after(() => database?.close())

test('people get new passwords, keep their second factors, and a stranger of that name keeps all', async () => {
  const { tenantId, otherTenant } = world
  const [one, operator] = [await world.givenUser(), await world.givenUser('operator')]
  const stranger = await world.givenUser('customer', otherTenant)
  const secret = newTotpSecret()
  const { user_id: userId } = operator
  const sealedSecret = sealing.seal(secret, totpContext(tenantId, userId))
  await world.run(enrolTotp, [{ userId, kind: 'operator', sealedSecret }])
  const usernames = [one.username, 'nobody', operator.username, stranger.username]
  const renewed = await inTransaction(database.pools.identity, (tx) =>
    renewSecrets(tx, { tenantId, usernames, at: new Date() }, sealing),
  )
  assert.deepEqual(
    renewed.map(({ user, totpSecret }) => [user.user_id, totpSecret]),
    [
      [one.user_id, undefined],
      [userId, toBase32(secret)],
    ],
  )
  const db = databaseOver(database.pools.identity)
  const [stored] = await listCredentials(db, tenantId, one.user_id)
  assert.ok(await isPassword(renewed[0]?.password ?? '', stored?.password_hash ?? undefined))
  const [kept] = await listCredentials(db, otherTenant, stranger.user_id)
  assert.equal(kept?.password_hash, 'first')
})
