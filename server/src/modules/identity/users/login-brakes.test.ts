import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { newId } from '../../../platform/ids.ts'
import { type TestDatabase, createTestDatabase } from '../../../../test/support/database.ts'
import { createTenant } from '../create-tenant.ts'
import { type Tried, brake, releaseAddress, releasePerson } from './login-brakes.ts'
import { deleteForgotten } from './login-attempt.queries.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'

const START = new Date('2026-11-23T09:00:00Z')
let database: TestDatabase
let tenantId: string

before(async () => {
  database = await createTestDatabase()
  const make = (tx: Parameters<typeof createTenant>[0]) =>
    createTenant(tx, { name: 'A', mode: 'sandbox', at: START })
  tenantId = (await inTransaction(database.pools.identity, make)).tenant_id
})
after(() => database?.close())

let addresses = 0

/** Somebody nobody has tried before, at an address that nobody has used. */
function somebody(changes: Partial<Tried> = {}): Tried {
  addresses += 1
  const username = newId(START)
  return {
    tenantId,
    kind: 'customer',
    username,
    origin: `10.0.0.${addresses}`,
    at: START,
    ...changes,
  }
}

function later(tried: Tried, seconds: number): Tried {
  return { ...tried, at: new Date(tried.at.getTime() + seconds * 1_000) }
}

async function allowed(tried: Tried): Promise<boolean> {
  return (await brake(database.pools.identity, tried)) === undefined
}

async function fail(tried: Tried, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) assert.ok(await allowed(tried), `try ${time}`)
}

test('a customer may fail five times; then each try costs twice the wait of the one before', async () => {
  const tried = somebody()
  await fail(tried, 5)
  assert.equal(await allowed(tried), false)
  assert.equal(await allowed(later(tried, 1)), false)
  assert.ok(await allowed(later(tried, 2)))
  assert.equal(await allowed(later(tried, 5)), false)
  assert.ok(await allowed(later(tried, 6)))
  assert.equal(await allowed(later(tried, 13)), false)
})

test('a stranger who guesses from elsewhere delays only himself', async () => {
  const stranger = somebody()
  await fail(stranger, 5)
  assert.equal(await allowed(stranger), false)
  assert.ok(await allowed({ ...stranger, origin: '10.9.9.9' }))
})

test('an operator is locked for half an hour after ten, wherever the tries came from', async () => {
  const tried = somebody({ kind: 'operator' })
  for (let time = 0; time < 10; time += 1) {
    assert.ok(await allowed({ ...tried, origin: `10.1.0.${time}` }))
  }
  assert.equal(await allowed(later({ ...tried, origin: '10.2.0.1' }, 1_799)), false)
  assert.ok(await allowed(later({ ...tried, origin: '10.2.0.1' }, 1_800)))
})

test('many tries at once get no further than as many one after the other', async () => {
  const tried = somebody()
  const heard = await Promise.all(Array.from({ length: 30 }, () => allowed(tried)))
  assert.equal(heard.filter(Boolean).length, 5)
})

test('an address that fails at name after name is slowed for every name', async () => {
  const origin = '10.3.0.1'
  for (let name = 0; name < 100; name += 1) await allowed(somebody({ origin }))
  assert.equal(await allowed(somebody({ origin })), false)
  assert.ok(await allowed(somebody()))
})

test('a sign-in clears the name and does not count against the address', async () => {
  const { identity } = database.pools
  const tried = somebody()
  await fail(tried, 4)
  await releasePerson(identity, tried)
  await fail(tried, 5)
  const origin = '10.4.0.1'
  for (let name = 0; name < 300; name += 1) {
    const one = somebody({ origin })
    assert.ok(await allowed(one))
    await releaseAddress(identity, one)
  }
})

test('after a quiet day the count begins anew, and the row goes', async () => {
  const tried = somebody()
  await fail(tried, 5)
  const tomorrow = later(tried, 25 * 3_600)
  await fail(tomorrow, 5)
  assert.equal(await allowed(tomorrow), false)
  await database.pools.identity.query(
    `update identity.login_attempts set forget_at = now() - interval '1 second' where tenant_id = $1`,
    [tenantId],
  )
  assert.ok((await deleteForgotten(databaseOver(database.pools.identity), 1_000)) > 0)
})
