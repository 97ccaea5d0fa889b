import pg from 'pg'
import type { Connection } from '../../src/platform/db/pools.ts'

/**
 * Many transactions fast, by the owner of the tables in large statements: whole, balanced, with running
 * balances as the poster would have written them, and judged by the guard triggers as anything else. In
 * EUR, a transaction per millisecond, every second one a book payment.
 */
export interface BulkTransactions {
  /** Needs no more than to be a uuid. */
  readonly tenantId: string
  readonly count: number
  /** At least 2. New ones are opened for it. */
  readonly accounts: number
  /** When the first was booked. */
  readonly from: Date
  /** Characters of a note in the metadata of each. Default none. */
  readonly noteLength?: number
}

const CHUNK = 50_000 // one statement's worth of work for the guard

export async function bookInBulk(connection: Connection, bulk: BulkTransactions): Promise<void> {
  const { tenantId, count, accounts, from, noteLength = 0 } = bulk
  const client = new pg.Client(connection)
  await client.connect()
  try {
    await client.query('set synchronous_commit = off; set work_mem = 256000')
    await client.query(PREPARE)
    await client.query(INSERT_CHART, [tenantId])
    await client.query(NEW_ACCOUNTS, [accounts, from])
    await client.query(INSERT_ACCOUNTS, [tenantId, from])
    await client.query(INSERT_BALANCES, [tenantId])
    await client.query(PLAN, [count, accounts, from])
    await client.query(PLAN_ENTRIES)
    for (let first = 1; first <= count; first += CHUNK) {
      const range = [tenantId, first, first + CHUNK - 1]
      await client.query('begin')
      await client.query(INSERT_PAYMENTS, range)
      await client.query(INSERT_TRANSACTIONS, [...range, noteLength])
      await client.query(INSERT_ENTRIES, range)
      await client.query('commit')
    }
    await client.query(UPDATE_BALANCES, [tenantId])
    await client.query('vacuum analyze ledger.transactions, ledger.entries, ledger.balances')
    await client.query('vacuum analyze payments.payments')
  } finally {
    await client.end()
  }
}

// A uuid v7: the instant in milliseconds, then random bits.
const PREPARE = `
  create function pg_temp.id_at(at timestamptz) returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
  $$;
  create temp table new_accounts (no integer primary key, account_id uuid not null)`

const INSERT_CHART = `
  insert into ledger.chart_lines (tenant_id, code, role, name, type, normal_side, postable, clearing)
  values ($1, '9900', 'bulk_funds', 'Bulk funds', 'liability', 'credit', true, false) on conflict do nothing`

const NEW_ACCOUNTS = `
  insert into new_accounts
  select no, pg_temp.id_at($2::timestamptz) from generate_series(0, $1::int - 1) as no`

const INSERT_ACCOUNTS = `
  insert into ledger.accounts (tenant_id, account_id, chart_code, name, created_at)
  select l.tenant_id, a.account_id, l.code, 'Bulk ' || a.no, $2
    from new_accounts a, ledger.chart_lines l where l.tenant_id = $1 and l.code = '9900'`

const INSERT_BALANCES = `
  insert into ledger.balances (tenant_id, account_id, currency, normal_side, chart_role)
  select l.tenant_id, a.account_id, 'EUR', l.normal_side, l.role
    from new_accounts a, ledger.chart_lines l where l.tenant_id = $1 and l.code = '9900'`

const PLAN = `
  create temp table planned as
  select n, pg_temp.id_at(at) as transaction_id,
         case when n % 2 = 0 then pg_temp.id_at(at) end as payment_id,
         at as requested_at, at + interval '3217 microseconds' as booked_at,
         100 + (n * 37 % 100000) as amount, debit_no, credit_no
    from (select n, $3::timestamptz + n * interval '1 millisecond' as at, n % $2 as debit_no,
                 (n + 1 + n * 7 % ($2 - 1)) % $2 as credit_no
            from generate_series(1, $1::bigint) as n, (select $2::int) as given) numbered`

const PLAN_ENTRIES = `
  create temp table planned_entries as
  select n, account_no, amount, row_number() over entries_so_far as seq,
         sum(amount) over entries_so_far as balance_after
    from (select n, debit_no as account_no, amount from planned
          union all select n, credit_no, -amount from planned) both_sides
  window entries_so_far as (partition by account_no order by n rows unbounded preceding);
  create index on planned_entries (n);
  create index on planned (n);
  analyze planned; analyze planned_entries`

const INSERT_PAYMENTS = `
  insert into payments.payments
    (tenant_id, id, version, event_sequence, state, payment_type, direction, amount, currency,
     amount_authorized, amount_captured, capture_method, payment_method, recipient_account_id,
     source_account_id, description, external_id, metadata, ledger_transaction_ids, created_by,
     created_at, updated_at, completed_at)
  select $1, p.payment_id, 1, 1, 'completed', 'book', 'internal', p.amount, 'EUR', p.amount, p.amount,
         'automatic', '{"type":"book"}', c.account_id, d.account_id, 'Invoice ' || p.n, 'order-' || p.n,
         '{}', array[p.transaction_id], 'bulk', p.requested_at, p.requested_at, p.booked_at
    from planned p
    join new_accounts d on d.no = p.debit_no join new_accounts c on c.no = p.credit_no
   where p.n between $2 and $3 and p.payment_id is not null order by p.n`

const INSERT_TRANSACTIONS = `
  insert into ledger.transactions
    (tenant_id, transaction_id, type, effective_on, booked_at, entry_count, currency, amount,
     correlation_id, external_id, description, metadata)
  select $1, transaction_id, case when payment_id is null then 'transfer' else 'book_payment' end,
         (booked_at at time zone 'UTC')::date, booked_at, 2, 'EUR', amount, payment_id,
         case when payment_id is null then 'transfer-' || n end,
         case when payment_id is null then 'Transfer no. ' || n end, jsonb_build_object('n', n::text)
         || case when $4::int > 0 then jsonb_build_object('note', repeat('x', $4)) else '{}' end
    from planned where n between $2 and $3 order by n`

const INSERT_ENTRIES = `
  insert into ledger.entries
    (tenant_id, account_id, booked_at, seq, transaction_id, currency, amount, balance_after, effective_on)
  select $1, a.account_id, p.booked_at, e.seq, p.transaction_id, 'EUR', e.amount, e.balance_after,
         (p.booked_at at time zone 'UTC')::date
    from planned p join planned_entries e on e.n = p.n join new_accounts a on a.no = e.account_no
   where p.n between $2 and $3 and e.n between $2 and $3 order by p.n`

const UPDATE_BALANCES = `
  update ledger.balances b
     set debits_posted = t.debits, credits_posted = t.credits, last_seq = t.last_seq,
         last_booked_at = t.last_booked_at
    from (select account_id, sum(greatest(amount, 0)) as debits, sum(greatest(-amount, 0)) as credits,
                 max(seq) as last_seq, max(booked_at) as last_booked_at
            from ledger.entries where tenant_id = $1 group by account_id) t
   where b.tenant_id = $1 and b.account_id = t.account_id`
