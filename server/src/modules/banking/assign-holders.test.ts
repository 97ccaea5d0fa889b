import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId } from '../../platform/ids.ts'
import { assignHolders, endHoldings } from './assign-holders.ts'
import { findHoldings } from './holder.queries.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const run = (work: Parameters<typeof inTransaction<void>>[1]) =>
  inTransaction(world.pools.money, work)

async function holdersOf(account: string): Promise<string[]> {
  const { home, abroad } = world
  const parties = [home.anna, home.bert, abroad.anna].map(({ partyId }) => partyId)
  const rows = await findHoldings(
    world.db,
    [home, abroad].flatMap(({ id: tenantId }) => parties.map((partyId) => ({ tenantId, partyId }))),
  )
  return rows.filter((row) => row.account_id === knownId(account)).map((row) => row.party_id)
}

test('an account may have several holders; assigning again changes nothing', async () => {
  const { home } = world
  const account = await world.givenAccount(home.anna)
  const holding = {
    tenantId: home.id,
    accountId: knownId(account),
    partyId: home.bert.partyId,
    at: new Date(),
  }
  await run((tx) => assignHolders(tx, [holding]))
  await run((tx) => assignHolders(tx, [holding]))
  assert.deepEqual(
    (await holdersOf(account)).toSorted(),
    [home.anna.partyId, home.bert.partyId].toSorted(),
  )
})

test('who holds it no longer is not listed, and may hold it again', async () => {
  const { home } = world
  const account = await world.givenAccount(home.anna)
  const holding = { tenantId: home.id, accountId: knownId(account), partyId: home.anna.partyId }
  await run((tx) => endHoldings(tx, { ...holding, at: new Date() }))
  assert.deepEqual(await holdersOf(account), [])
  await run((tx) => assignHolders(tx, [{ ...holding, at: new Date() }]))
  assert.deepEqual(await holdersOf(account), [home.anna.partyId])
})

test('an account of another tenant cannot be assigned', async () => {
  const { home, abroad } = world
  const accountId = knownId(abroad.anna.accounts[0])
  const partyId = home.anna.partyId
  const assigned = run((tx) =>
    assignHolders(tx, [{ tenantId: home.id, accountId, partyId, at: new Date() }]),
  )
  await assert.rejects(assigned, { code: '23503' })
})
