import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { type NewHold, openHolds } from './open-holds.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

function hold(account: string, amount: bigint, changes: Partial<NewHold> = {}): NewHold {
  return {
    holdId: newId(new Date()),
    debitAccountId: knownId(account),
    creditAccountId: knownId(bank),
    currency: 'EUR',
    amount,
    ...changes,
  }
}

async function givenCustomer(amount: number, tenantId = world.tenantId): Promise<string> {
  const account = await world.givenAccount({ min_available: 0, tenantId })
  await world.givenFunds(account, amount)
  return account
}

test('holds of one batch share what is available, in order', async () => {
  const account = await givenCustomer(100)
  const asked = [hold(account, 60n), hold(account, 60n), hold(account, 40n), hold(account, 1n)]
  const outcomes = await world.run(openHolds, ...asked)
  assert.deepEqual(verdicts(outcomes), ['ok', 'insufficient_funds', 'ok', 'insufficient_funds'])
  const stored = await world.query(
    'select 1 from ledger.holds where hold_id = any($1) union all select 1 from audit.events where resource_id = any($1) union all select 1 from platform.events where object_id = any($1)',
    [asked.map(({ holdId }) => holdId)],
  )
  assert.equal(stored.length, 2 * 3, 'two holds, each with its audit row and its event')
})

test('a hold that cannot be is refused by name', async () => {
  const account = await givenCustomer(100)
  const dollars = await world.givenAccount({ currency: 'USD' })
  const past = new Date(Date.now() - 1_000)
  const closed = await world.givenAccount()
  await world.call('POST', `/ledger/accounts/${closed}/close`)
  const blocked = await givenCustomer(100)
  await world.call('PATCH', `/ledger/accounts/${blocked}`, { body: { blocked: 'outgoing' } })
  const outcomes = await world.run(
    openHolds,
    hold(account, 1n, { creditAccountId: knownId(account) }),
    hold(account, 1n, { creditAccountId: '00000000-0000-7000-8000-000000000000' }),
    hold(account, 1n, { creditAccountId: knownId(dollars) }),
    hold(account, 1n, { expiresAt: past }),
    hold(account, 1n, { creditAccountId: knownId(closed) }),
    hold(blocked, 1n),
    hold(account, 1n),
  )
  assert.deepEqual(verdicts(outcomes), [
    'hold_accounts_equal',
    'account_not_found',
    'currency_mismatch',
    'hold_expired',
    'account_closed',
    'account_blocked',
    'ok',
  ])
})

test('an incoming hold promises nothing: it does not raise what is available', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const incoming = hold(bank, 50n, { creditAccountId: knownId(account) })
  assert.deepEqual(verdicts(await world.run(openHolds, incoming)), ['ok'])
  const { body } = await world.call('GET', `/ledger/accounts/${account}`)
  assert.deepEqual(body['balances'], { posted: 0, pending: 50, available: 0 })
  assert.deepEqual(verdicts(await world.run(openHolds, hold(account, 1n))), ['insufficient_funds'])
})

test('a hold names accounts of its own tenant', async () => {
  const tenantId = await world.givenTenant()
  const account = await givenCustomer(100)
  const foreign = world.asked(hold(account, 1n), { tenantId })
  assert.deepEqual(verdicts(await world.run(openHolds, foreign)), ['account_not_found'])
})
