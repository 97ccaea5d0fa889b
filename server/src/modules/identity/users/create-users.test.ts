import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemActor } from '../../../platform/actor.ts'
import type { Asked } from '../../../platform/command.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { newId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { createTenant } from '../create-tenant.ts'
import { listFactors } from './credential.queries.ts'
import { type NewUser, createUsers } from './create-users.ts'
import { findUserByName } from './user.queries.ts'

const at = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let tenantId: string
let otherTenant: string

before(async () => {
  database = await createTestDatabase()
  ;[tenantId, otherTenant] = await inTransaction(database.pools.identity, async (tx) => [
    (await createTenant(tx, { name: 'A', mode: 'sandbox', at })).tenant_id,
    (await createTenant(tx, { name: 'B', mode: 'sandbox', at })).tenant_id,
  ])
})
after(() => database?.close())

function asked(username: string, changes: Partial<NewUser> = {}, of = tenantId): Asked<NewUser> {
  const input: NewUser = {
    userId: newId(at),
    kind: 'customer',
    username,
    partyId: newId(at),
    displayName: 'Ada Customer',
    roles: [],
    passwordHash: '$argon2id$…',
    sealedTotpSecret: undefined,
    ...changes,
  }
  return { tenantId: of, actor: systemActor('test', of), requestId: 'req_1', at, input }
}

async function create(...requests: Asked<NewUser>[]) {
  const outcomes = await inTransaction(database.pools.identity, (tx) =>
    createUsers.run(tx, requests, undefined),
  )
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.refusal.code))
}

test('a person is made with the factors that were given, and an act says so', async () => {
  const one = asked('ada', { kind: 'operator', roles: ['maker'], sealedTotpSecret: Buffer.of(1) })
  assert.deepEqual(await create(one), ['ok'])
  const db = databaseOver(database.pools.identity)
  const row = await findUserByName(db, tenantId, 'ada')
  assert.deepEqual([row?.kind, row?.roles, row?.status], ['operator', ['maker'], 'active'])
  const factors = await listFactors(db, tenantId, [one.input.userId])
  assert.deepEqual(factors.get(one.input.userId), ['password', 'totp'])
  const { rows } = await database.pools.read.query(
    `select action, detail from audit.events where tenant_id = $1 and resource_id = $2`,
    [tenantId, one.input.userId],
  )
  assert.deepEqual(rows, [
    {
      action: 'user.create',
      detail: { kind: 'operator', roles: ['maker'], second_factor: true },
    },
  ])
})

test('a taken name turns down its item alone, also when a neighbour takes it', async () => {
  await create(asked('grace'))
  const outcomes = await create(asked('grace'), asked('joan'), asked('joan'), asked('edsger'))
  assert.deepEqual(outcomes, ['username_taken', 'ok', 'username_taken', 'ok'])
})

test('the same name in another tenant is another person', async () => {
  await create(asked('barbara'))
  assert.deepEqual(await create(asked('barbara', {}, otherTenant)), ['ok'])
})

test('of two batches that take one name together exactly one gets it', async () => {
  const both = await Promise.all([create(asked('donald')), create(asked('donald'))])
  assert.deepEqual(both.flat().toSorted(), ['ok', 'username_taken'])
})
