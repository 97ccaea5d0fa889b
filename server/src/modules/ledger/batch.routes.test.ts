import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'

let world: LedgerWorld
let bank: string
let customer: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
  customer = await world.givenAccount({ min_available: 0 })
})
after(() => world?.close())

function post(transactions: readonly object[], changes: object = {}, key = '') {
  return world.call('POST', '/ledger/transaction_batches', {
    body: { transactions, ...changes },
    ...(key !== '' && { key }),
  })
}

const statuses = (heard: Awaited<ReturnType<typeof post>>) =>
  heard.body['results'].map((one: { status: string; error?: { code: string } }) =>
    one.status === 'booked' ? 'booked' : one.error?.code,
  )

test('transactions of a batch stand alone', async () => {
  const heard = await post([
    transfer(bank, customer, 100),
    transfer(customer, bank, 101),
    transfer(customer, bank, 100),
    { type: 'odd', entries: [] },
  ])
  assert.equal(heard.status, 200, heard.text)
  assert.deepEqual(statuses(heard), ['booked', 'insufficient_funds', 'booked', 'too_few_entries'])
  assert.deepEqual([heard.body['booked'], heard.body['refused']], [2, 2])
  assert.equal(heard.body['results'][1].error.available, 100)
})

test('an atomic batch books all or nothing, and says which one was in the way', async () => {
  const before = await world.call('GET', `/ledger/accounts/${customer}`)
  const refused = await post(
    [
      transfer(bank, customer, 50),
      transfer(customer, bank, 1_000_000),
      transfer(bank, customer, 1),
    ],
    { atomic: true },
  )
  assert.equal(refused.status, 422, refused.text)
  assert.equal(refused.body['code'], 'group_refused')
  assert.deepEqual(statuses(refused), ['group_refused', 'insufficient_funds', 'group_refused'])
  assert.deepEqual((await world.call('GET', `/ledger/accounts/${customer}`)).body, before.body)

  const booked = await post([transfer(bank, customer, 50), transfer(customer, bank, 50)], {
    atomic: true,
  })
  assert.equal(booked.status, 200, booked.text)
  assert.deepEqual(statuses(booked), ['booked', 'booked'])
})

test('a batch beyond one database transaction commits in chunks and is replayed as one', async () => {
  const transactions = Array.from({ length: 1_000 }, (_, index) =>
    transfer(bank, customer, 1, { external_id: `chunk-${index}` }),
  )
  const made = await post(transactions, {}, 'large')
  assert.equal(made.status, 200, made.text)
  assert.equal(made.body['booked'], 1_000)
  const again = await post(transactions, {}, 'large')
  assert.equal(again.text, made.text)
  assert.equal(again.headers['idempotent-replayed'], 'true')
  const other = await world.call('POST', '/ledger/transactions', {
    key: 'large',
    body: transfer(bank, customer, 1),
  })
  assert.equal(other.body['code'], 'idempotency_key_reused')
  const acts = await world.query(
    `select 1 from audit.events where tenant_id = $1 and action = 'ledger.transaction_batch.post'
     and detail ->> 'booked' = '500'`,
    [world.tenantId],
  )
  assert.equal(acts.length, 2)
})

test('a batch that broke off between two chunks goes on under its key', async () => {
  const transactions = Array.from({ length: 600 }, (_, index) =>
    transfer(bank, customer, 1, { external_id: `broken-${index}` }),
  )
  const made = await post(transactions, {}, 'broken')
  assert.equal(made.body['booked'], 600)
  // As if the process had died before the second chunk: its key, answer and bookings are gone.
  await world.asOwner(
    `delete from platform.idempotency_responses where key = 'broken#1'`,
    `delete from platform.idempotency_keys where key = 'broken#1'`,
  )
  const again = await post(transactions, {}, 'broken')
  assert.equal(again.headers['idempotent-replayed'], undefined)
  const results = statuses(again)
  assert.deepEqual(results.slice(0, 500), statuses(made).slice(0, 500))
  // The chunk ran anew; what it had booked in truth is protected by its external ids.
  assert.deepEqual([...new Set(results.slice(500))], ['external_id_taken'])
})

test('an atomic batch above one database transaction is turned away whole', async () => {
  const heard = await post(Array(501).fill(transfer(bank, customer, 1)), { atomic: true })
  assert.equal(heard.status, 400)
  assert.equal(heard.body['errors'][0].pointer, '#/transactions')
  const entries = Array.from({ length: 100 }, (_, index) => ({
    account_id: index % 2 === 0 ? bank : customer,
    direction: index % 2 === 0 ? 'debit' : 'credit',
    amount: 1,
    currency: 'EUR',
  }))
  const wide = { type: 'wide', entries }
  assert.equal((await post(Array(21).fill(wide), { atomic: true })).status, 400)
  const fits = await post(Array(20).fill(wide), { atomic: true })
  assert.equal(fits.body['booked'], 20, fits.text)
})
