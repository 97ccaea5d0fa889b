import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { type NewBatch, postTransactionBatches } from './post-transaction-batches.ts'
import type { NewTransaction } from './post-transactions.ts'

let world: LedgerWorld
let bank: string
let customer: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

function move(from: string, to: string, amount: bigint, externalId?: string): NewTransaction {
  return {
    transactionId: newId(new Date()),
    type: 'book_transfer',
    legs: [
      { accountId: knownId(from), currency: 'EUR', amount },
      { accountId: knownId(to), currency: 'EUR', amount: -amount },
    ],
    ...(externalId !== undefined && { externalId }),
  }
}

function batch(atomic: boolean, ...transactions: readonly NewTransaction[]): NewBatch {
  return { batchId: newId(new Date()), atomic, transactions }
}

async function posted(account: string): Promise<number> {
  return (await world.call('GET', `/ledger/accounts/${account}`)).body['balances'].posted
}

test('requests of one batch see each other in order; a group that fails is as if it had never been', async () => {
  customer = await world.givenAccount({ min_available: 0 })
  const outcomes = await world.run(
    postTransactionBatches,
    batch(true, move(bank, customer, 10n, 'a'), move(customer, bank, 11n)),
    batch(true, move(bank, customer, 20n, 'a'), move(customer, bank, 5n)),
    batch(
      false,
      move(customer, bank, 16n),
      move(customer, bank, 15n),
      move(bank, customer, 1n, 'a'),
    ),
  )
  assert.deepEqual(verdicts(outcomes), ['group_refused', 'ok', 'ok'])
  const last = outcomes[2]
  assert.deepEqual(last?.ok === true && verdicts(last.value), [
    'insufficient_funds',
    'ok',
    'external_id_taken',
  ])
  assert.equal(await posted(customer), 0)
})

test('a group that fails leaves no name and no number behind', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const failing = batch(true, move(bank, account, 5n, 'left-over'), move(account, bank, 6n))
  assert.deepEqual(verdicts(await world.run(postTransactionBatches, failing)), ['group_refused'])
  const again = batch(true, move(bank, account, 5n, 'left-over'), move(account, bank, 5n))
  assert.deepEqual(verdicts(await world.run(postTransactionBatches, again)), ['ok'])
  const { body } = await world.call('GET', `/ledger/accounts/${account}/entries?order=asc`)
  assert.deepEqual(
    body['data'].map(({ seq }: { seq: number }) => seq),
    [1, 2],
  )
})

test('a group may name an external id twice, and is refused for it', async () => {
  const account = await world.givenAccount()
  const outcomes = await world.run(
    postTransactionBatches,
    batch(true, move(bank, account, 5n, 'double'), move(bank, account, 5n, 'double')),
    batch(true, move(bank, account, 7n, 'double')),
  )
  assert.deepEqual(verdicts(outcomes), ['group_refused', 'ok'])
  assert.equal(await posted(account), 7)
})

test('a request has one audit row, and none when it booked nothing', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const [good, empty] = [
    batch(false, move(bank, account, 1n), move(account, bank, 9n)),
    batch(false, move(account, bank, 9n)),
  ]
  await world.run(postTransactionBatches, good, empty)
  const acts = await world.query<{ detail: object }>(
    'select detail from audit.events where resource_id = any($1)',
    [[good.batchId, empty.batchId]],
  )
  assert.deepEqual(acts, [{ detail: { atomic: false, booked: 1, refused: 1 } }])
})

test('a batch of another tenant finds none of the accounts', async () => {
  const tenantId = await world.givenTenant()
  const account = await world.givenAccount()
  const foreign = world.asked(batch(false, move(bank, account, 1n)), { tenantId })
  const [outcome] = await world.run(postTransactionBatches, foreign)
  assert.deepEqual(outcome?.ok === true && verdicts(outcome.value), ['account_not_found'])
  assert.equal(await posted(account), 0)
})
