import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { postEntries } from './post-entries.ts'
import { reverseTransactions } from './reverse-transactions.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

async function book(account: string, amount: number, changes: object = {}): Promise<string> {
  const body = transfer(bank, account, amount, changes)
  const heard = await world.call('POST', '/ledger/transactions', { body })
  assert.equal(heard.status, 201, heard.text)
  return heard.body['id']
}

function reverse(id: string, body: object = {}, tenantId = world.tenantId) {
  return world.call('POST', `/ledger/transactions/${id}/reverse`, { body, tenantId })
}

function reversal(id: string) {
  return { transactionId: newId(new Date()), reverses: knownId(id) }
}

test('a reversal books the opposite, under the type and correlation of the original', async () => {
  const account = await world.givenAccount()
  const correlation_id = '018f6b2e-0000-7000-8000-000000000001'
  const id = await book(account, 90, { correlation_id })
  const made = await reverse(id, { description: 'Booked in error', metadata: { ticket: '9' } })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body['reverses_transaction_id'], id)
  assert.equal(made.body['type'], 'book_transfer_reversal')
  assert.equal(made.body['correlation_id'], correlation_id)
  assert.deepEqual(
    made.body['entries'].map((entry: Record<string, unknown>) => [
      entry['account_id'],
      entry['direction'],
      entry['amount'],
      entry['balance_after'],
    ]),
    [
      [account, 'debit', 90, 0],
      [bank, 'credit', 90, 0],
    ],
  )
})

test('what a module booked for its own objects is not taken back here', async () => {
  const transactionId = newId(new Date())
  const legs = [
    { accountId: knownId(bank), currency: 'EUR', amount: 10n },
    { accountId: knownId(await world.givenAccount()), currency: 'EUR', amount: -10n },
  ]
  const { tenantId } = world
  const post = {
    kind: 'post',
    tenantId,
    transactionId,
    requestId: 'req_test',
    at: new Date(),
  } as const
  await inTransaction(world.database.pools.money, (tx) =>
    postEntries(tx, [{ ...post, type: 'card_payment', legs, module: 'payments' }]),
  )
  const heard = await reverse(publicId('txn', transactionId))
  assert.deepEqual([heard.status, heard.body['code']], [409, 'transaction_not_yours'])
  assert.equal(heard.body['module'], 'payments')
})

test('a transaction is reversed once, and a reversal never', async () => {
  const id = await book(await world.givenAccount(), 10)
  const made = await reverse(id)
  for (const again of [id, made.body['id'] as string]) {
    const heard = await reverse(again)
    assert.deepEqual([heard.status, heard.body['code']], [409, 'already_reversed'])
  }
})

test('of two reversals in one batch the first is booked, beside one that is refused', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const id = await book(account, 10)
  const other = await book(account, 5)
  const spent = { body: transfer(account, bank, 5) }
  assert.equal((await world.call('POST', '/ledger/transactions', spent)).status, 201)
  const unknown = 'txn_01arz3ndektsv4rrffq69g5fav'
  const outcomes = await world.run(reverseTransactions, ...[id, id, other, unknown].map(reversal))
  assert.deepEqual(verdicts(outcomes), [
    'ok',
    'already_reversed',
    'insufficient_funds',
    'transaction_not_found',
  ])
})

test('reversals that race over two batches are one', async () => {
  const ids = await Promise.all(
    Array.from({ length: 10 }, async () => book(await world.givenAccount(), 10)),
  )
  const race = () => world.run(reverseTransactions, ...ids.map(reversal))
  const [one, other] = await Promise.all([race(), race()])
  for (const [index, outcome] of one.entries()) {
    assert.notEqual(outcome.ok, other[index]?.ok)
  }
})

test('on the day of the original only while that day is open', async () => {
  const day = (offset: number) =>
    new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  const account = await world.givenAccount()
  const [early, late] = [
    await book(account, 10, { effective_on: day(-3) }),
    await book(account, 10, { effective_on: day(-3) }),
  ]
  const made = await reverse(early, { effective_on: 'original' })
  assert.equal(made.body['effective_on'], day(-3))
  const close = (through: string) =>
    world.asOwner(
      `update ledger.books set closed_through = '${through}' where tenant_id = '${world.tenantId}'`,
    )
  await close(day(-1))
  const closed = await reverse(late, { effective_on: 'original' })
  assert.deepEqual([closed.status, closed.body['code']], [409, 'period_closed'])
  const today = await reverse(late)
  assert.equal(today.body['effective_on'], today.body['booked_at'].slice(0, 10))
  await close('1970-01-01')
})

test('a transaction of another tenant is not found', async () => {
  const id = await book(await world.givenAccount(), 10)
  const heard = await reverse(id, {}, await world.givenTenant())
  assert.deepEqual([heard.status, heard.body['code']], [404, 'transaction_not_found'])
})
