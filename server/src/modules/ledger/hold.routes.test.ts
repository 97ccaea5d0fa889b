import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

async function givenCustomer(amount: number): Promise<string> {
  const account = await world.givenAccount({ min_available: 0 })
  await world.givenFunds(account, amount)
  return account
}

function hold(account: string, amount: number, changes: object = {}) {
  const body = { debit_account_id: account, credit_account_id: bank, amount, currency: 'EUR' }
  return world.call('POST', '/ledger/holds', { body: { ...body, ...changes } })
}

async function balances(account: string) {
  return (await world.call('GET', `/ledger/accounts/${account}`)).body['balances']
}

test('a hold lowers what is available and leaves what is posted', async () => {
  const account = await givenCustomer(1_000)
  const held = await hold(account, 400, { metadata: { trip: '9' } })
  assert.equal(held.status, 201, held.text)
  assert.deepEqual(await balances(account), { posted: 1_000, pending: 600, available: 600 })
  const path = `/ledger/holds/${held.body['id']}`
  const read = await world.call('GET', path)
  assert.deepEqual(read.body, held.body)
  const known = await world.call('GET', path, {
    headers: { 'if-none-match': String(read.headers['etag']) },
  })
  assert.equal(known.status, 304)
  const over = await hold(account, 601)
  assert.deepEqual([over.status, over.body['code']], [422, 'insufficient_funds'])
  assert.equal(over.body['available'], 600)
})

test('a hold is posted in parts, and what is left at the end is released', async () => {
  const account = await givenCustomer(1_000)
  const { body } = await hold(account, 900)
  const path = `/ledger/holds/${body['id']}`
  const part = await world.call('POST', `${path}/post`, { body: { amount: 300, final: false } })
  assert.equal(part.status, 201, part.text)
  assert.equal(part.body['status'], 'pending')
  assert.equal(part.body['transaction'].hold_id, body['id'])
  assert.deepEqual(await balances(account), { posted: 700, pending: 100, available: 100 })

  const raised = await world.call('POST', `${path}/increase`, { body: { amount: 100 } })
  assert.equal(raised.body['remaining_amount'], 700)
  assert.deepEqual(await balances(account), { posted: 700, pending: 0, available: 0 })

  const rest = await world.call('POST', `${path}/post`, { body: { amount: 500 } })
  assert.deepEqual(
    [rest.body['status'], rest.body['posted_amount'], rest.body['released_amount']],
    ['posted', 800, 200],
  )
  assert.deepEqual(await balances(account), { posted: 200, pending: 200, available: 200 })

  const again = await world.call('POST', `${path}/post`, { body: {} })
  assert.deepEqual([again.status, again.body['code']], [409, 'hold_not_pending'])
})

test('a posting splits with a fee if it takes the amount from the held account', async () => {
  const account = await givenCustomer(1_000)
  const fees = await world.givenAccount({ role: 'fee_income' })
  const { body } = await hold(account, 500)
  const entries = (taken: number) => [
    { account_id: account, direction: 'debit', amount: taken, currency: 'EUR' },
    { account_id: bank, direction: 'credit', amount: taken - 10, currency: 'EUR' },
    { account_id: fees, direction: 'credit', amount: 10, currency: 'EUR' },
  ]
  const path = `/ledger/holds/${body['id']}/post`
  const off = await world.call('POST', path, { body: { amount: 500, entries: entries(499) } })
  assert.deepEqual([off.status, off.body['code']], [422, 'hold_entries_mismatch'])
  const posted = await world.call('POST', path, { body: { entries: entries(500) } })
  assert.equal(posted.status, 201, posted.text)
  assert.deepEqual(await balances(fees), { posted: 10, pending: 10, available: 10 })
})

test('the held side of two accounts that carry debits is the credited one', async () => {
  const from = await world.givenAccount({ role: 'bank', min_available: 0 })
  const to = await world.givenAccount({ role: 'bank_clearing' })
  const fees = await world.givenAccount({ role: 'fees' })
  const funded = transfer(from, await world.givenAccount(), 300)
  assert.equal((await world.call('POST', '/ledger/transactions', { body: funded })).status, 201)
  const { body } = await world.call('POST', '/ledger/holds', {
    body: { debit_account_id: to, credit_account_id: from, amount: 300, currency: 'EUR' },
  })
  assert.deepEqual(await balances(from), { posted: 300, pending: 0, available: 0 })
  const entries = [
    { account_id: to, direction: 'debit', amount: 295, currency: 'EUR' },
    { account_id: fees, direction: 'debit', amount: 5, currency: 'EUR' },
    { account_id: from, direction: 'credit', amount: 300, currency: 'EUR' },
  ]
  const posted = await world.call('POST', `/ledger/holds/${body['id']}/post`, { body: { entries } })
  assert.equal(posted.status, 201, posted.text)
  assert.deepEqual(await balances(from), { posted: 0, pending: 0, available: 0 })
})

test('a voided hold gives its amount back and is never posted', async () => {
  const account = await givenCustomer(1_000)
  const { body } = await hold(account, 900)
  const path = `/ledger/holds/${body['id']}`
  const voided = await world.call('POST', `${path}/void`)
  assert.equal(voided.body['status'], 'voided')
  assert.deepEqual(await balances(account), { posted: 1_000, pending: 1_000, available: 1_000 })
  for (const [verb, sent] of [
    ['post', {}],
    ['increase', { amount: 1 }],
  ] as const) {
    const heard = await world.call('POST', `${path}/${verb}`, { body: sent })
    assert.equal(heard.body['code'], 'hold_not_pending', verb)
    assert.equal(heard.body['current_status'], 'voided')
  }
})

test('holds are listed by account and status', async () => {
  const account = await givenCustomer(1_000)
  const first = await hold(account, 100)
  const second = await hold(account, 200)
  await world.call('POST', `/ledger/holds/${first.body['id']}/void`)
  const all = await world.call('GET', `/ledger/holds?account_id=${account}&order=asc`)
  assert.deepEqual(
    all.body['data'].map((one: { id: string }) => one.id),
    [first.body['id'], second.body['id']],
  )
  const pending = await world.call('GET', `/ledger/holds?account_id=${account}&status=pending`)
  assert.deepEqual(pending.body['data'], [second.body])
})

test('a hold of another tenant is not found', async () => {
  const { body } = await hold(await givenCustomer(10), 10)
  const tenantId = await world.givenTenant()
  const path = `/ledger/holds/${body['id']}`
  assert.equal((await world.call('GET', path, { tenantId })).status, 404)
  for (const verb of ['post', 'void']) {
    const heard = await world.call('POST', `${path}/${verb}`, {
      tenantId,
      ...(verb === 'post' && { body: {} }),
    })
    assert.deepEqual([heard.status, heard.body['code']], [404, 'hold_not_found'], verb)
  }
})
