import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { postEntries } from './post-entries.ts'
import type { LedgerCommand, Post } from './posting.ts'

/** What modules may do and clients may not: force, and post once under a key of their own. */
let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

function move(from: string, to: string, amount: bigint, changes: Partial<Post> = {}): Post {
  const at = new Date()
  return {
    kind: 'post',
    tenantId: world.tenantId,
    transactionId: newId(at),
    requestId: publicId('req', newId(at)),
    at,
    type: 'adjustment',
    legs: [
      { accountId: knownId(from), currency: 'EUR', amount },
      { accountId: knownId(to), currency: 'EUR', amount: -amount },
    ],
    ...changes,
  }
}

function post(...commands: readonly LedgerCommand[]) {
  return inTransaction(world.database.pools.money, (tx) => postEntries(tx, commands))
}

async function row(account: string) {
  const [found] = await world.query<{ forced_floor: bigint | null; last_seq: bigint }>(
    'select forced_floor, last_seq from ledger.balances where account_id = $1',
    [knownId(account)],
  )
  return found
}

test('a forced posting goes below the limit; from there only what does not make it worse passes', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  assert.deepEqual(verdicts(await post(move(account, bank, 30n, { force: true }))), ['ok'])
  assert.equal((await row(account))?.forced_floor, -30n)
  const outcomes = await post(
    move(account, bank, 1n),
    move(bank, account, 10n),
    move(account, bank, 1n),
    move(account, bank, 5n, { force: true }),
  )
  assert.deepEqual(verdicts(outcomes), ['insufficient_funds', 'ok', 'insufficient_funds', 'ok'])
  assert.equal((await row(account))?.forced_floor, -25n)
  assert.deepEqual(verdicts(await post(move(bank, account, 25n))), ['ok'])
  assert.equal((await row(account))?.forced_floor, null)
})

test('a forced posting passes a block, a limit above and a closed account', async () => {
  const account = await world.givenAccount({ max_balance: 0 })
  const patch = { body: { blocked: 'both' } }
  await world.call('PATCH', `/ledger/accounts/${account}`, patch)
  assert.deepEqual(verdicts(await post(move(bank, account, 5n, { force: true }))), ['ok'])
  const closed = await world.givenAccount()
  await world.call('POST', `/ledger/accounts/${closed}/close`)
  assert.deepEqual(verdicts(await post(move(bank, closed, 5n, { force: true }))), ['ok'])
})

test('what a fact has left on a closed account may be taken from there, and nothing else', async () => {
  const closed = await world.givenAccount({ min_available: -100 })
  await world.call('POST', `/ledger/accounts/${closed}/close`)
  const outcomes = await post(
    move(bank, closed, 5n, { force: true }),
    move(bank, closed, 1n),
    move(closed, bank, 6n),
    move(closed, bank, 5n),
    move(closed, bank, 1n),
  )
  assert.deepEqual(verdicts(outcomes), [
    'ok',
    'account_closed',
    'account_closed',
    'ok',
    'account_closed',
  ])
})

test('a dedupe key answers its first transaction, in the batch and after it', async () => {
  const account = await world.givenAccount()
  const first = move(bank, account, 5n, { dedupeKey: 'captured:1' })
  const twin = move(bank, account, 5n, { dedupeKey: 'captured:1' })
  const once = await post(first, twin)
  const later = await post(move(bank, account, 5n, { dedupeKey: 'captured:1' }))
  for (const outcome of [once[1], later[0]]) {
    assert.equal(outcome?.ok === true && outcome.value.existingTransactionId, first.transactionId)
  }
  assert.equal((await row(account))?.last_seq, 1n)
})

test('a dedupe key of another tenant is another key', async () => {
  const tenantId = await world.givenTenant()
  const theirs = [
    await world.givenAccount({ tenantId, role: 'bank' }),
    await world.givenAccount({ tenantId }),
  ] as const
  const mine = await world.givenAccount()
  const outcomes = await post(
    move(bank, mine, 1n, { dedupeKey: 'shared' }),
    move(...theirs, 1n, { dedupeKey: 'shared', tenantId }),
  )
  assert.ok(outcomes.every((outcome) => outcome.ok && outcome.value.transaction !== undefined))
})

test('two currencies in one transaction balance each for itself', async () => {
  const [euros, dollars] = [
    await world.givenAccount({ role: 'fx_position' }),
    await world.givenAccount({ role: 'fx_position', currency: 'USD' }),
  ]
  const [from, to] = [await world.givenAccount(), await world.givenAccount({ currency: 'USD' })]
  const leg = (account: string, currency: string, amount: bigint) => ({
    accountId: knownId(account),
    currency,
    amount,
  })
  const legs = [
    leg(from, 'EUR', 100n),
    leg(euros, 'EUR', -100n),
    leg(dollars, 'USD', 108n),
    leg(to, 'USD', -108n),
  ]
  const [outcome] = await post(move(bank, from, 1n, { legs }))
  assert.equal(outcome?.ok === true && outcome.value.transaction?.amount, 100n)
  const crossed = legs.map((one, index) => (index === 3 ? leg(to, 'USD', -107n) : one))
  assert.deepEqual(verdicts(await post(move(bank, from, 1n, { legs: crossed }))), ['unbalanced'])
})

test('an empty batch is no work', async () => {
  assert.deepEqual(await post(), [])
})

test('a tenant without books is a fault', async () => {
  const tenantId = '00000000-0000-7000-8000-00000000dead'
  await assert.rejects(post(move(bank, bank, 1n, { tenantId })), /has no books/)
})
