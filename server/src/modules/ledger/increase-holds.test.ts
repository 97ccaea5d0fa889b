import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { increaseHolds } from './increase-holds.ts'
import { openHolds } from './open-holds.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

test('a hold is raised as far as there is money, each raise judged after the one before', async () => {
  const [bank, account] = [
    await world.givenAccount({ role: 'bank' }),
    await world.givenAccount({ min_available: 0 }),
  ]
  await world.givenFunds(account, 100)
  const holdId = newId(new Date())
  await world.run(openHolds, {
    holdId,
    debitAccountId: knownId(account),
    creditAccountId: knownId(bank),
    currency: 'EUR',
    amount: 50n,
  })
  const tenantId = await world.givenTenant()
  const outcomes = await world.run(
    increaseHolds,
    { holdId, amount: 30n },
    { holdId, amount: 21n },
    world.asked({ holdId, amount: 1n }, { tenantId }),
    { holdId, amount: 20n },
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'insufficient_funds', 'hold_not_found', 'ok'])
  const events = await world.query<{ sequence: number }>(
    'select sequence from platform.events where object_id = $1 order by sequence',
    [holdId],
  )
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3],
  )
  const { body } = await world.call('GET', `/ledger/accounts/${account}`)
  assert.deepEqual(body['balances'], { posted: 100, pending: 0, available: 0 })
})
