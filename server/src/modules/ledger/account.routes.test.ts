import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

test('an account is opened, read and listed with its balances', async () => {
  const made = await world.call('POST', '/ledger/accounts', {
    body: {
      name: 'Customer A',
      role: 'customer_funds',
      currency: 'EUR',
      min_available: 0,
      max_balance: 1_000_000,
      external_id: 'customer-a',
      metadata: { tier: 'gold' },
    },
  })
  assert.equal(made.status, 201, made.text)
  const { id } = made.body
  assert.equal(made.headers['location'], `/ledger/accounts/${id}`)
  assert.equal(made.body['chart_code'], '2010')
  assert.deepEqual(made.body['balances'], { posted: 0, pending: 0, available: 0 })

  await world.givenFunds(id, 500)
  const read = await world.call('GET', `/ledger/accounts/${id}`)
  assert.deepEqual(read.body, {
    ...made.body,
    balances: { posted: 500, pending: 500, available: 500 },
    last_seq: 1,
  })
  assert.equal(read.headers['cache-control'], 'no-store')
  assert.match(String(read.headers['etag']), /^"1-\d{8}"$/)

  const listed = await world.call('GET', '/ledger/accounts?external_id=customer-a')
  assert.deepEqual(listed.body['data'], [read.body])
})

test('an account of another tenant is not found', async () => {
  const id = await world.givenAccount()
  const stranger = await world.givenTenant()
  for (const path of ['', '/entries', '/balance']) {
    const heard = await world.call('GET', `/ledger/accounts/${id}${path}`, { tenantId: stranger })
    assert.equal(heard.status, 404, path)
    assert.equal(heard.body['code'], 'ledger_account_not_found')
  }
  const listed = await world.call('GET', '/ledger/accounts', { tenantId: stranger })
  assert.deepEqual(listed.body['data'], [])
})

test('a list of accounts is filtered and paged without gap or repetition', async () => {
  const tenantId = await world.givenTenant()
  const made: string[] = []
  for (let index = 0; index < 5; index += 1) made.push(await world.givenAccount({ tenantId }))
  await world.givenAccount({ tenantId, role: 'bank' })
  await world.givenAccount({ tenantId, currency: 'USD' })
  for (const order of ['asc', 'desc']) {
    const seen: string[] = []
    let query = `?role=customer_funds&currency=EUR&limit=2&order=${order}`
    for (let page = 0; page < 3; page += 1) {
      const { body } = await world.call('GET', `/ledger/accounts${query}`, { tenantId })
      seen.push(...(body['data'] as { id: string }[]).map(({ id }) => id))
      assert.equal(body['has_more'], page < 2)
      query = `?role=customer_funds&currency=EUR&limit=2&order=${order}&cursor=${body['next_cursor']}`
    }
    assert.deepEqual(seen, order === 'asc' ? made : made.toReversed())
  }
})

test('transactions are booked, read and listed', async () => {
  const [from, to] = [await world.givenAccount(), await world.givenAccount()]
  await world.givenFunds(from, 1_000)
  const made = await world.call('POST', '/ledger/transactions', {
    body: transfer(from, to, 250, { external_id: 'inv-7', metadata: { order: '7' } }),
  })
  assert.equal(made.status, 201, made.text)
  const { id } = made.body
  const read = await world.call('GET', `/ledger/transactions/${id}`)
  assert.deepEqual(read.body, made.body)
  for (const query of [`account_id=${to}`, 'external_id=inv-7', `account_id=${from}&limit=1`]) {
    const listed = await world.call('GET', `/ledger/transactions?${query}`)
    assert.deepEqual(listed.body['data'], [made.body], query)
  }
  const { body: trial } = await world.call('GET', '/ledger/trial_balance')
  assert.ok(trial['totals'].length > 0)
  for (const total of trial['totals']) assert.equal(total.difference, 0)
})
