import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import { inTransaction } from '../../platform/db/transaction.ts'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import type { BalanceState } from './balance.ts'
import { lockBooks } from './lock-books.ts'
import type { Post } from './posting.ts'
import { writeBalances } from './posting.queries.ts'

/** What the database refuses by itself, tried by SQL that no command of ours would send. */
let world: LedgerWorld
let bank: string
let customer: string
let booked: string

before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())
beforeEach(async () => {
  customer = await world.givenAccount({ min_available: 0 })
  const heard = await world.call('POST', '/ledger/transactions', {
    body: transfer(bank, customer, 100),
  })
  booked = knownId(heard.body['id'])
})

interface Line {
  readonly account: string
  readonly amount: number
  readonly currency?: string
}

function header(transactionId: string, count: number, changes = ''): string {
  return `insert into ledger.transactions (tenant_id, transaction_id, type, effective_on, booked_at, entry_count,
            currency, amount${changes === '' ? '' : ', reverses_transaction_id'})
          values ('${world.tenantId}', '${transactionId}', 'odd', '2026-11-23', now(), ${count}, 'EUR', 5${changes})`
}

function entries(transactionId: string, ...lines: readonly Line[]): string {
  const rows = lines.map(
    ({ account, amount, currency = 'EUR' }, index) =>
      `('${world.tenantId}', '${knownId(account)}', now(), ${1_000 + index}, '${transactionId}', '${currency}', ${amount}, 0, '2026-11-23')`,
  )
  return `insert into ledger.entries (tenant_id, account_id, booked_at, seq, transaction_id, currency, amount,
            balance_after, effective_on) values ${rows.join(', ')}`
}

/** In one transaction of the service's own role. Answers the SQLSTATE and message of what failed. */
async function attempt(...statements: readonly string[]): Promise<string> {
  const client = await world.database.pools.identity.connect()
  try {
    await client.query('begin')
    for (const statement of statements) await client.query(statement)
    await client.query('commit')
    return 'committed'
  } catch (error) {
    await client.query('rollback')
    const { code, message } = error as pg.DatabaseError
    return `${code} ${message}`
  } finally {
    client.release()
  }
}

test('the role of the service is not the owner of the tables', async () => {
  const [row] = await world.query<{ role: string; owner: string }>(
    `select current_user as role, tableowner as owner from pg_tables
     where schemaname = 'ledger' and tablename = 'entries'`,
  )
  assert.equal(row?.role, 'countinghouse_app')
  assert.notEqual(row?.owner, row?.role)
})

test('a sound transaction passes', async () => {
  const id = newId(new Date())
  const lines = [
    { account: bank, amount: 5 },
    { account: customer, amount: -5 },
  ]
  assert.equal(await attempt(header(id, 2), entries(id, ...lines)), 'committed')
})

test('entries that do not balance are refused', async () => {
  const id = newId(new Date())
  const lines = [
    { account: bank, amount: 5 },
    { account: customer, amount: -4 },
  ]
  assert.match(await attempt(header(id, 2), entries(id, ...lines)), /^23514 entries_zero_sum/)
})

test('half a transaction is refused, and so are entries without one', async () => {
  const id = newId(new Date())
  const lines = [
    { account: bank, amount: 5 },
    { account: customer, amount: -5 },
  ]
  assert.match(await attempt(header(id, 3), entries(id, ...lines)), /^23514 entries_complete/)
  assert.match(await attempt(entries(id, ...lines)), /^23514 entries_complete/)
  const apart = lines.map((line) => entries(id, line))
  assert.match(await attempt(header(id, 2), ...apart), /^23514 entries_zero_sum/)
})

test('a balanced pair cannot be appended to a transaction of yesterday', async () => {
  const lines = [
    { account: bank, amount: 5 },
    { account: customer, amount: -5 },
  ]
  assert.match(await attempt(entries(booked, ...lines)), /^23514 entries_complete/)
})

test('an entry in another currency than its account, or on no account, is refused', async () => {
  const id = newId(new Date())
  const pair = (account: string, currency: string) =>
    attempt(
      header(id, 2),
      entries(id, { account: bank, amount: 5, currency }, { account, amount: -5, currency }),
    )
  assert.match(await pair(customer, 'USD'), /^23514 entries_currency/)
  assert.match(await pair('acc_01arz3ndektsv4rrffq69g5fav', 'EUR'), /^23514 entries_currency/)
})

test('what is booked is never changed: not by the service, not by the owner', async () => {
  const changes = ['ledger.entries', 'ledger.transactions'].flatMap((table) => [
    `update ${table} set effective_on = '2026-01-01' where transaction_id = '${booked}'`,
    `update ${table} set amount = amount where false`,
    `delete from ${table} where transaction_id = '${booked}'`,
    `truncate ${table}`,
  ])
  for (const sql of changes) {
    assert.match(await attempt(sql), /^42501 permission denied/, sql)
    await assert.rejects(world.asOwner(sql), { code: '42501', message: /is written once/ }, sql)
  }
})

test('available cannot fall below the limit, nor below a floor that was forced', async () => {
  const take = (amount: number, changes = '') =>
    attempt(
      `update ledger.balances set debits_posted = debits_posted + ${amount}${changes}
       where account_id = '${knownId(customer)}'`,
    )
  assert.match(await take(101), /^23514 .*available_floor/)
  assert.equal(await take(101, ', forced_floor = -1'), 'committed')
  assert.match(await take(1), /^23514 .*available_floor/)
})

test('totals and pending sums are never negative', async () => {
  for (const column of ['debits_posted', 'credits_posted', 'debits_pending', 'credits_pending']) {
    const sql = `update ledger.balances set ${column} = -1 where account_id = '${knownId(bank)}'`
    assert.match(await attempt(sql), /^23514 /, column)
  }
})

test('the amounts of a hold add up, and a terminal one has no rest', async () => {
  const body = {
    debit_account_id: customer,
    credit_account_id: bank,
    amount: 10,
    currency: 'EUR',
  }
  const { body: hold } = await world.call('POST', '/ledger/holds', { body })
  const set = (changes: string) =>
    attempt(`update ledger.holds set ${changes} where hold_id = '${knownId(hold['id'])}'`)
  assert.match(await set('posted_amount = 11'), /^23514 /)
  assert.match(await set('released_amount = -1'), /^23514 /)
  assert.match(await set(`status = 'voided'`), /^23514 /)
  assert.match(await set(`status = 'gone'`), /^23514 /)
})

test('a second reversal, external id or dedupe key is refused by an index', async () => {
  const reversal = () => header(newId(new Date()), 2, `, '${booked}'`)
  assert.match(await attempt(reversal(), reversal()), /^23505 .*transactions_reverses/)
  const named = (column: string) =>
    `insert into ledger.transactions (tenant_id, transaction_id, type, effective_on, booked_at, entry_count, currency,
       amount, ${column}) select '${world.tenantId}', gen_random_uuid(), 'odd', '2026-11-23', now(), 2, 'EUR', 5, 'x'
     from generate_series(1, 2)`
  assert.match(await attempt(named('external_id')), /^23505 .*transactions_external_id/)
  assert.match(await attempt(named('dedupe_key')), /^23505 .*transactions_dedupe_key/)
})

test('an account that holds entries cannot be removed by the service', async () => {
  for (const table of [
    'ledger.accounts',
    'ledger.balances',
    'ledger.holds',
    'ledger.chart_lines',
  ]) {
    assert.match(await attempt(`delete from ${table}`), /^42501 permission denied/, table)
  }
})

test('a balance that somebody else wrote in between fails the whole batch', async () => {
  const pair = { tenantId: world.tenantId, accountId: knownId(customer) }
  const late = inTransaction(world.database.pools.money, async (tx) => {
    const { balances } = await lockBooks(tx, [deposit(pair.accountId)])
    const state = balances.get(`${pair.tenantId} ${pair.accountId}`) as BalanceState
    writeBalances(tx, [{ ...state, readSeq: state.readSeq - 1n, creditsPosted: 7n }], 0n)
  })
  await assert.rejects(late, /1 balances locked, 0 written/)
  const { body } = await world.call('GET', `/ledger/accounts/${customer}`)
  assert.equal(body['balances'].posted, 100)
})

function deposit(accountId: string): Post {
  const money = { currency: 'EUR', amount: 1n }
  return {
    kind: 'post',
    type: 'odd',
    tenantId: world.tenantId,
    transactionId: newId(new Date()),
    requestId: 'req_odd',
    at: new Date(),
    legs: [
      { ...money, accountId: knownId(bank) },
      { ...money, accountId, amount: -1n },
    ],
  }
}
