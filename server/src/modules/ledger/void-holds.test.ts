import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { openHolds } from './open-holds.ts'
import { voidHolds } from './void-holds.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

test('a hold is given back once, also on a blocked account below its limit', async () => {
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
    amount: 100n,
  })
  await world.call('PATCH', `/ledger/accounts/${account}`, {
    body: { blocked: 'both', min_available: 1_000 },
  })
  const tenantId = await world.givenTenant()
  const outcomes = await world.run(
    voidHolds,
    world.asked({ holdId }, { tenantId }),
    { holdId },
    { holdId },
  )
  assert.deepEqual(verdicts(outcomes), ['hold_not_found', 'ok', 'hold_not_pending'])
  const { body } = await world.call('GET', `/ledger/accounts/${account}`)
  assert.deepEqual(body['balances'], { posted: 100, pending: 100, available: 100 })
})
