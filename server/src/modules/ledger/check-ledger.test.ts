import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type LedgerWorld, startLedgerWorld, transfer } from '../../../test/support/ledger-world.ts'
import { knownId } from '../../platform/ids.ts'
import { checkLedger } from './check-ledger.ts'

/** Books with a bit of everything; each test plants one violation in a tenant of its own. */
let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

interface Books {
  readonly tenantId: string
  readonly bank: string
  readonly customer: string
  readonly first: string
  readonly last: string
  readonly hold: string
}

async function givenBooks(): Promise<Books> {
  const tenantId = await world.givenTenant()
  const bank = await world.givenAccount({ tenantId, role: 'bank' })
  const customer = await world.givenAccount({ tenantId, min_available: 0 })
  const post = async (body: object, path = '/ledger/transactions') => {
    const heard = await world.call('POST', path, { tenantId, body })
    assert.ok(heard.status < 300, heard.text)
    return heard.body['id'] as string
  }
  const first = await post(transfer(bank, customer, 1_000, { external_id: 'one' }))
  const undone = await post(transfer(bank, customer, 70, { external_id: 'two' }))
  await post({}, `/ledger/transactions/${undone}/reverse`)
  const last = await post(transfer(customer, bank, 300, { external_id: 'three' }))
  const hold = await post(
    { debit_account_id: customer, credit_account_id: bank, amount: 200, currency: 'EUR' },
    '/ledger/holds',
  )
  return {
    tenantId,
    bank: knownId(bank),
    customer: knownId(customer),
    first: knownId(first),
    last: knownId(last),
    hold: knownId(hold),
  }
}

async function brokenRules(tenantId: string): Promise<number[]> {
  const { violations } = await checkLedger(world.database.pools.report, { tenantId })
  return [...new Set(violations.map(({ invariant }) => invariant))]
}

test('sound books have no violation, and the check says what it saw', async () => {
  const { tenantId } = await givenBooks()
  assert.deepEqual(await checkLedger(world.database.pools.report, { tenantId }), {
    violations: [],
    seen: { accounts: 2n, transactions: 4n, entries: 8n, holds: 1n },
  })
  assert.deepEqual((await checkLedger(world.database.pools.report)).violations, [])
})

const planted: [what: string, invariants: number[], sql: (books: Books) => string[]][] = [
  [
    'an entry changed',
    [1, 3, 4],
    ({ customer, first }) => [
      `update ledger.entries set amount = amount - 1 where transaction_id = '${first}' and account_id = '${customer}'`,
    ],
  ],
  [
    'an entry deleted',
    [1, 3, 4],
    ({ customer, first }) => [
      `delete from ledger.entries where transaction_id = '${first}' and account_id = '${customer}'`,
    ],
  ],
  [
    'a transaction deleted',
    [1],
    ({ first }) => [`delete from ledger.transactions where transaction_id = '${first}'`],
  ],
  [
    'a balanced pair appended to a transaction',
    [1, 3],
    ({ tenantId, bank, customer, first }) =>
      [bank, customer].map(
        (account, index) =>
          `insert into ledger.entries select tenant_id, account_id, booked_at + interval '1 second', seq + 1,
             '${first}', currency, ${index === 0 ? 5 : -5}, balance_after + ${index === 0 ? 5 : -5}, effective_on
           from ledger.entries where tenant_id = '${tenantId}' and account_id = '${account}'
           order by seq desc limit 1`,
      ),
  ],
  [
    'a backdated entry, against its header',
    [1],
    ({ last }) => [
      `update ledger.entries set effective_on = effective_on - 9 where transaction_id = '${last}'`,
    ],
  ],
  [
    'a header that tells another amount',
    [1],
    ({ last }) => [`update ledger.transactions set amount = 1 where transaction_id = '${last}'`],
  ],
  [
    'an account in another currency than its entries and holds',
    [2, 6, 10],
    ({ customer }) => [
      `update ledger.balances set currency = 'USD' where account_id = '${customer}'`,
    ],
  ],
  [
    'money made out of nothing',
    [3, 10],
    ({ customer }) => [
      `update ledger.balances set credits_posted = credits_posted + 1 where account_id = '${customer}'`,
    ],
  ],
  [
    'the same turnover added on both sides',
    [3],
    ({ customer }) => [
      `update ledger.balances set credits_posted = credits_posted + 1, debits_posted = debits_posted + 1
       where account_id = '${customer}'`,
    ],
  ],
  [
    'a number of an entry left out',
    [3, 4],
    ({ customer, last }) => [
      `update ledger.entries set seq = seq + 1 where transaction_id = '${last}' and account_id = '${customer}'`,
    ],
  ],
  [
    'a running balance that does not follow',
    [4],
    ({ customer, first }) => [
      `update ledger.entries set balance_after = balance_after + 1
       where transaction_id = '${first}' and account_id = '${customer}'`,
    ],
  ],
  [
    'time that falls back',
    [3, 4],
    ({ last }) => [
      `update ledger.entries set booked_at = booked_at - interval '1 day' where transaction_id = '${last}'`,
      `update ledger.transactions set booked_at = booked_at - interval '1 day' where transaction_id = '${last}'`,
    ],
  ],
  [
    'an account below its floor',
    [5],
    ({ customer }) => [
      `update ledger.balances set min_available = 10000, forced_floor = 9999 where account_id = '${customer}'`,
    ],
  ],
  [
    'a pending column without its hold',
    [6],
    ({ hold }) => [
      `update ledger.holds set status = 'voided', released_amount = amount where hold_id = '${hold}'`,
    ],
  ],
  [
    'a hold that ended with a rest',
    [6],
    ({ hold }) => [`update ledger.holds set status = 'posted' where hold_id = '${hold}'`],
  ],
  [
    'a transaction reversed twice',
    [7],
    ({ tenantId, last }) => [
      `update ledger.transactions t set reverses_transaction_id = r.reverses_transaction_id
       from ledger.transactions r
       where r.tenant_id = '${tenantId}' and r.reverses_transaction_id is not null and t.transaction_id = '${last}'`,
    ],
  ],
  [
    'a reversal of something else',
    [7],
    ({ tenantId, last }) => [
      `update ledger.transactions set reverses_transaction_id = '${last}'
       where tenant_id = '${tenantId}' and reverses_transaction_id is not null`,
    ],
  ],
  [
    'an external id given twice',
    [7],
    ({ last }) => [
      `update ledger.transactions set external_id = 'one' where transaction_id = '${last}'`,
    ],
  ],
  [
    'a dedupe key given twice',
    [7],
    ({ first, last }) => [
      `update ledger.transactions set dedupe_key = 'k' where transaction_id in ('${first}', '${last}')`,
    ],
  ],
]

for (const [what, invariants, sql] of planted) {
  test(`found: ${what}`, async () => {
    const books = await givenBooks()
    await plant(sql(books))
    assert.deepEqual(await brokenRules(books.tenantId), invariants)
  })
}

/** As the owner, with every guard out of the way, which is what it takes. */
async function plant(sql: readonly string[]): Promise<void> {
  const guards = await world.asOwner<{ lift: string }>(`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as lift from pg_constraint
    where connamespace = 'ledger'::regnamespace and contype = 'c'
    union all
    select format('drop index %s', indexrelid::regclass) from pg_index i
    join pg_class c on c.oid = i.indrelid
    where c.relnamespace = 'ledger'::regnamespace and i.indisunique and not i.indisprimary
      and i.indrelid = 'ledger.transactions'::regclass`)
  await world.asOwner(
    ...guards.map(({ lift }) => lift),
    'set session_replication_role = replica',
    ...sql,
  )
}
