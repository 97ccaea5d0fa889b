import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { type NewTransaction, postTransactions } from './post-transactions.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

/** From one account to the other, as a command takes it. */
function move(
  from: string,
  to: string,
  amount: bigint,
  changes: Partial<NewTransaction> = {},
): NewTransaction {
  return {
    transactionId: newId(new Date()),
    type: 'book_transfer',
    legs: [
      { accountId: knownId(from), currency: 'EUR', amount },
      { accountId: knownId(to), currency: 'EUR', amount: -amount },
    ],
    ...changes,
  }
}

async function posted(account: string): Promise<number> {
  return (await world.call('GET', `/ledger/accounts/${account}`)).body['balances'].posted
}

function post(body: object, options: { tenantId?: string; key?: string } = {}) {
  return world.call('POST', '/ledger/transactions', { body, ...options })
}

async function written(...transactions: readonly NewTransaction[]): Promise<number> {
  const rows = await world.query(
    `select 1 from ledger.transactions where transaction_id = any($1)
     union all select 1 from ledger.entries where transaction_id = any($1)
     union all select 1 from platform.events where object_id = any($1)
     union all select 1 from audit.events where resource_id = any($1)`,
    [transactions.map(({ transactionId }) => transactionId)],
  )
  return rows.length
}

test('a transaction is written whole: header, entries, balances, event and audit row', async () => {
  const customer = await world.givenAccount()
  const made = await post(
    transfer(bank, customer, 1_250, {
      effective_on: new Date().toISOString().slice(0, 10),
      description: 'Paid in',
      external_id: 'inv-1',
      correlation_id: 'pay_01arz3ndektsv4rrffq69g5fav',
      metadata: { order: '7' },
    }),
  )
  assert.equal(made.status, 201, made.text)
  assert.deepEqual(made.body['entries'], [
    {
      account_id: bank,
      direction: 'debit',
      amount: 1_250,
      currency: 'EUR',
      seq: 1,
      balance_after: 1_250,
    },
    {
      account_id: customer,
      direction: 'credit',
      amount: 1_250,
      currency: 'EUR',
      seq: 1,
      balance_after: 1_250,
    },
  ])
  assert.match(made.body['booked_at'], /\.\d{6}Z$/)
  const id = knownId(made.body['id'])
  const [event] = await world.query<{ data: string }>(
    `select data from platform.events where object_id = $1 and type = 'ledger.transaction.posted'`,
    [id],
  )
  const data = JSON.parse(event?.data ?? '{}') as Record<string, unknown>
  assert.deepEqual(data['entries'], [
    { account_id: bank, amount: 1_250, currency: 'EUR' },
    { account_id: customer, amount: -1_250, currency: 'EUR' },
  ])
  assert.equal(data['correlation_id'], made.body['correlation_id'])
  const acts = await world.query(
    `select action, actor_id from audit.events where resource_id = $1`,
    [id],
  )
  assert.deepEqual(acts, [{ action: 'ledger.transaction.post', actor_id: 'cli_test' }])
  const found = await world.call(
    'GET',
    '/ledger/transactions?correlation_id=pay_01arz3ndektsv4rrffq69g5fav',
  )
  assert.deepEqual(found.body['data'], [made.body])
})

test('one that is refused leaves its neighbours booked, and nothing of itself', async () => {
  const [poor, rich] = [await world.givenAccount({ min_available: 0 }), await world.givenAccount()]
  const [first, refused, last] = [
    move(bank, rich, 10n),
    move(poor, bank, 1n, { externalId: 'never' }),
    move(bank, rich, 20n),
  ]
  const outcomes = await world.run(postTransactions, first, refused, last)
  assert.deepEqual(verdicts(outcomes), ['ok', 'insufficient_funds', 'ok'])
  assert.equal(await posted(rich), 30)
  assert.equal(await written(refused), 0)
  assert.equal(await written(first, last), 2 + 4 + 2 + 2)
  assert.deepEqual(
    verdicts(await world.run(postTransactions, move(bank, rich, 1n, { externalId: 'never' }))),
    ['ok'],
  )
})

test('later items of a batch see what earlier ones did to the same account', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const outcomes = await world.run(
    postTransactions,
    move(account, bank, 5n),
    move(bank, account, 5n),
    move(account, bank, 3n),
    move(account, bank, 3n),
    move(account, bank, 2n),
  )
  assert.deepEqual(verdicts(outcomes), [
    'insufficient_funds',
    'ok',
    'ok',
    'insufficient_funds',
    'ok',
  ])
  const { body } = await world.call('GET', `/ledger/accounts/${account}/entries?order=asc`)
  assert.deepEqual(
    body['data'].map((entry: { seq: number; balance_after: number }) => [
      entry.seq,
      entry.balance_after,
    ]),
    [
      [1, 5],
      [2, 2],
      [3, 0],
    ],
  )
})

test('a limit is judged after the whole transaction, not leg by leg', async () => {
  const account = await world.givenAccount({ min_available: 0 })
  const legs = [
    { account_id: account, direction: 'debit', amount: 70, currency: 'EUR' },
    { account_id: bank, direction: 'debit', amount: 30, currency: 'EUR' },
    { account_id: account, direction: 'credit', amount: 100, currency: 'EUR' },
  ]
  assert.equal((await post({ type: 'net', entries: legs })).status, 201)
  assert.equal(await posted(account), 30)
  const { body } = await world.call('GET', `/ledger/transactions?account_id=${account}`)
  assert.equal(body['data'].length, 1, 'an account that appears twice is listed once')
})

test('an overdraft is used up to its limit', async () => {
  const account = await world.givenAccount({ min_available: -500 })
  assert.equal((await post(transfer(account, bank, 500))).status, 201)
  assert.equal(await posted(account), -500)
  const over = await post(transfer(account, bank, 1))
  assert.deepEqual([over.body['code'], over.body['available']], ['insufficient_funds', -500])
})

test('an external id names one transaction of its tenant', async () => {
  const account = await world.givenAccount()
  const twins = await world.run(
    postTransactions,
    move(bank, account, 1n, { externalId: 'twin' }),
    move(bank, account, 1n, { externalId: 'twin' }),
  )
  assert.deepEqual(verdicts(twins), ['ok', 'external_id_taken'])
  const again = await post(transfer(bank, account, 1, { external_id: 'twin' }))
  assert.deepEqual([again.status, again.body['code']], [409, 'external_id_taken'])
  const { body } = await world.call('GET', '/ledger/transactions?external_id=twin')
  assert.equal(again.body['existing_id'], body['data'][0].id)
})

test('two tenants with the same external ids, in one batch, never meet', async () => {
  const tenantId = await world.givenTenant()
  const theirs = {
    bank: await world.givenAccount({ tenantId, role: 'bank' }),
    customer: await world.givenAccount({ tenantId }),
  }
  const mine = await world.givenAccount()
  const outcomes = await world.run(
    postTransactions,
    move(bank, mine, 1n, { externalId: 'same' }),
    world.asked(move(theirs.bank, theirs.customer, 2n, { externalId: 'same' }), { tenantId }),
    world.asked(move(theirs.bank, mine, 3n), { tenantId }),
    move(theirs.bank, mine, 4n),
  )
  assert.deepEqual(verdicts(outcomes), ['ok', 'ok', 'account_not_found', 'account_not_found'])
  assert.equal(await posted(mine), 1)
})

test('a transaction may correct another of the tenant, and only of the tenant', async () => {
  const account = await world.givenAccount()
  const { body } = await post(transfer(bank, account, 10))
  const correction = { corrects_transaction_id: body['id'] }
  const made = await post(transfer(account, bank, 4, correction))
  assert.equal(made.body['corrects_transaction_id'], body['id'])
  const tenantId = await world.givenTenant()
  const theirs = [
    await world.givenAccount({ tenantId, role: 'bank' }),
    await world.givenAccount({ tenantId }),
  ] as const
  const foreign = await post(transfer(...theirs, 4, correction), { tenantId })
  assert.deepEqual([foreign.status, foreign.body['code']], [422, 'corrected_transaction_not_found'])
})

test('a version that the caller did not see is refused', async () => {
  const account = await world.givenAccount()
  const at = (version: number) => {
    const body = transfer(bank, account, 1)
    Object.assign(body.entries[1] as object, { expected_version: version })
    return post(body)
  }
  assert.equal((await at(0)).status, 201)
  const late = await at(0)
  assert.deepEqual([late.status, late.body['code']], [409, 'version_mismatch'])
  assert.equal(late.body['current_version'], 1)
  assert.equal((await at(1)).status, 201)
})

test('entries that can be no transaction are refused by name', async () => {
  const customer = await world.givenAccount()
  const dollars = await world.givenAccount({ currency: 'USD' })
  const entry = (account_id: string, amount: number, currency = 'EUR') => ({
    account_id,
    direction: amount > 0 ? 'debit' : 'credit',
    amount: Math.abs(amount),
    currency,
  })
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      entry(index % 2 === 0 ? bank : customer, index % 2 === 0 ? 1 : -1),
    )
  const huge = Number.MAX_SAFE_INTEGER
  const cases: [string, object[]][] = [
    ['unbalanced', [entry(bank, 5), entry(customer, -4)]],
    ['unbalanced', [entry(bank, 5), entry(dollars, -5, 'USD')]],
    ['unbalanced', [entry(bank, 5), entry(customer, -2), entry(customer, -2)]],
    ['too_few_entries', [entry(bank, 5)]],
    ['too_few_entries', []],
    ['too_many_entries', many(102)],
    ['currency_mismatch', [entry(bank, 5), entry(dollars, -5)]],
    ['account_not_found', [entry(bank, 5), entry('acc_01arz3ndektsv4rrffq69g5fav', -5)]],
    [
      'total_out_of_range',
      [entry(bank, huge), entry(bank, huge), entry(customer, -huge), entry(customer, -huge)],
    ],
  ]
  for (const [code, entries] of cases) {
    const heard = await post({ type: 'odd', entries })
    assert.deepEqual([heard.status, heard.body['code']], [422, code])
  }
  const fits = await post({ type: 'wide', entries: many(100) })
  assert.equal(fits.status, 201, fits.text)
  assert.equal(fits.body['entries'].length, 100)
})

test('a balance stays within what JSON carries', async () => {
  const [vault, customer] = [await world.givenAccount({ role: 'bank' }), await world.givenAccount()]
  const huge = Number.MAX_SAFE_INTEGER
  assert.equal((await post(transfer(vault, customer, huge))).status, 201)
  const over = await post(transfer(vault, customer, 1))
  assert.deepEqual([over.status, over.body['code']], [422, 'balance_out_of_range'])
  assert.equal(
    (await world.call('GET', `/ledger/accounts/${customer}`)).body['balances'].posted,
    huge,
  )
  const trial = await world.call('GET', '/ledger/trial_balance')
  assert.deepEqual([trial.status, trial.body['code']], [422, 'total_out_of_range'])
  assert.equal((await post(transfer(customer, vault, huge))).status, 201)
})

test('the effective day lies between the last close and five days ahead', async () => {
  const tenantId = await world.givenTenant()
  const accounts = [
    await world.givenAccount({ tenantId, role: 'bank' }),
    await world.givenAccount({ tenantId }),
  ] as const
  const day = (offset: number) =>
    new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
  await world.asOwner(
    `update ledger.books set closed_through = '${day(-10)}' where tenant_id = '${tenantId}'`,
  )
  const on = (effective_on: string, changes: object = {}) =>
    post(transfer(...accounts, 1, { effective_on, ...changes }), { tenantId })
  const closed = await on(day(-10))
  assert.deepEqual([closed.status, closed.body['code']], [409, 'period_closed'])
  assert.equal(closed.body['closed_through'], day(-10))
  assert.equal((await on(day(-9))).status, 201)
  assert.equal((await on(day(5))).status, 201)
  assert.equal((await on(day(6))).body['code'], 'effective_date_out_of_range')
  const moved = await on(day(-30), { if_closed: 'next_open' })
  assert.equal(moved.body['effective_on'], day(-9))
})

test('the default day is today in the time zone of the books', async () => {
  const tenantId = await world.givenTenant('Pacific/Kiritimati')
  const accounts = [
    await world.givenAccount({ tenantId, role: 'bank' }),
    await world.givenAccount({ tenantId }),
  ] as const
  const { body } = await post(transfer(...accounts, 1), { tenantId })
  const there = new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Kiritimati' })
  assert.equal(body['effective_on'], there.format(new Date(body['booked_at'])))
})

test('what no schema lets through writes nothing', async () => {
  const customer = await world.givenAccount()
  const good = transfer(bank, customer, 1)
  const [debit, credit] = good.entries as [object, object]
  const bad: object[] = [
    { ...good, entries: [{ ...debit, amount: 0 }, credit] },
    { ...good, entries: [{ ...debit, amount: -1 }, credit] },
    { ...good, entries: [{ ...debit, amount: '1' }, credit] },
    { ...good, entries: [{ ...debit, direction: 'both' }, credit] },
    { ...good, entries: [{ ...debit, account_id: 'acc_no' }, credit] },
    { ...good, entries: [{ ...debit, note: 'x' }, credit] },
    { ...good, type: 'Has Spaces' },
    { ...good, effective_on: '2026-02-30' },
    { ...good, metadata: { a: 1 } },
    { ...good, force: true },
    { ...good, dedupe_key: 'x' },
  ]
  for (const body of bad) assert.equal((await post(body)).status, 400, JSON.stringify(body))
  assert.equal((await post(good, { key: '' })).body['code'], 'idempotency_key_required')
  const unread = { body: good, scopes: ['ledger:read'] }
  assert.equal((await world.call('POST', '/ledger/transactions', unread)).status, 403)
  assert.equal(await posted(customer), 0)
})

test('a type that PostgreSQL would read as null is a type like any other', async () => {
  const customer = await world.givenAccount()
  const made = await post({ ...transfer(bank, customer, 1), type: 'null' })
  assert.equal(made.body['type'], 'null', made.text)
})

test('a repeated request is answered as the first was, and books nothing', async () => {
  const customer = await world.givenAccount()
  const body = transfer(bank, customer, 7)
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(body, { key: 'once' })))
  const again = await post(body, { key: 'once' })
  assert.equal(again.headers['idempotent-replayed'], 'true')
  const first = answers.find(({ status }) => status === 201)
  assert.equal(again.text, first?.text)
  assert.equal(await posted(customer), 7)
  const other = await post(transfer(bank, customer, 8), { key: 'once' })
  assert.deepEqual([other.status, other.body['code']], [422, 'idempotency_key_reused'])
})
