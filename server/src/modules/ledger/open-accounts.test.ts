import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { type ModuleAccount, openAccounts, openBooks } from './open-accounts.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

const at = new Date('2026-11-23T09:00:00Z')

function spec(key: string, changes: Partial<ModuleAccount> = {}): ModuleAccount {
  const { tenantId } = world
  return { tenantId, key, role: 'gateway_clearing', currency: 'EUR', name: key, at, ...changes }
}

function open(...specs: readonly ModuleAccount[]) {
  return inTransaction(world.database.pools.money, (tx) => openAccounts(tx, specs))
}

const announced = (accountId: string) =>
  world.query('select 1 from platform.events where object_id = $1 and sequence = 1', [accountId])

test('an account is opened at first use and found by its key from then on', async () => {
  const name = `${world.tenantId} clearing:a`
  const first = (await open(spec('clearing:a'))).get(name) as string
  const both = await open(spec('clearing:b'), spec('clearing:a'), spec('clearing:b'))
  assert.equal(both.get(name), first)
  assert.equal(both.size, 2)
  assert.equal((await announced(first)).length, 1)
})

test('two transactions that open the same accounts get the same accounts', async () => {
  const keys = ['race:1', 'race:2', 'race:3']
  const [one, other] = await Promise.all([
    open(...keys.map((key) => spec(key))),
    open(...keys.toReversed().map((key) => spec(key))),
  ])
  assert.deepEqual(
    keys.map((key) => one.get(`${world.tenantId} ${key}`)),
    keys.map((key) => other.get(`${world.tenantId} ${key}`)),
  )
})

test('two tenants with the same key have two accounts', async () => {
  const tenantId = await world.givenTenant()
  const ids = await open(spec('shared'), spec('shared', { tenantId }))
  assert.equal(new Set(ids.values()).size, 2)
})

test('an account under an unknown role is a fault, not a missing id', async () => {
  await assert.rejects(open(spec('odd', { role: 'no_such_role' })), /odd cannot be opened/)
})

test('opening the books again leaves them as they are', async () => {
  const { tenantId } = world
  await inTransaction(world.database.pools.money, (tx) =>
    openBooks(tx, { tenantId, timeZone: 'Europe/Berlin' }),
  )
  const rows = await world.query<{ time_zone: string }>(
    'select time_zone from ledger.books where tenant_id = $1',
    [tenantId],
  )
  assert.deepEqual(rows, [{ time_zone: 'UTC' }])
})
