import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'

/**
 * What must hold of the books whatever happened to them, each as a query that finds the exceptions.
 * They read everything of a tenant, or of all, and trust nothing that the poster has derived.
 */
type Tx = TxOf<'ledger'>

export interface ExceptionRow {
  readonly tenant_id: string
  /** uuid of the account, transaction or hold; a currency for the trial balance. */
  readonly object: string
  readonly found: string
}

export interface LedgerCheck {
  /** Number in the table of invariants of the README. */
  readonly invariant: number
  readonly name: string
  /** Exceptions of one tenant (null: of all), at most `limit`. */
  readonly find: (
    tx: Tx,
    tenantId: string | null,
    limit: number,
  ) => Promise<{ rows: ExceptionRow[] }>
}

function check(invariant: number, name: string, sql: string): LedgerCheck {
  return { invariant, name, find: statement<ExceptionRow>(`${sql} limit $2`) }
}

const OF_TENANT = (alias: string) => `($1::uuid is null or ${alias}.tenant_id = $1)`

export const ledgerChecks: readonly LedgerCheck[] = [
  check(
    1,
    'a transaction sums to zero in every currency',
    `select e.tenant_id, e.transaction_id::text as object, e.currency || ' ' || sum(e.amount) as found
     from ledger.entries e where ${OF_TENANT('e')}
     group by e.tenant_id, e.transaction_id, e.currency having sum(e.amount) <> 0`,
  ),
  check(
    1,
    'a transaction has all its entries, written with it, and says what they debit',
    `select t.tenant_id, t.transaction_id::text as object,
            t.entry_count || ' entries told, ' || coalesce(e.entries, 0) || ' found' as found
     from ledger.transactions t
     left join (
       select e.tenant_id, e.transaction_id, count(*) as entries, min(e.booked_at) as first_at,
              max(e.booked_at) as last_at, min(e.effective_on) as first_on, max(e.effective_on) as last_on
       from ledger.entries e where ${OF_TENANT('e')} group by e.tenant_id, e.transaction_id
     ) e on e.tenant_id = t.tenant_id and e.transaction_id = t.transaction_id
     left join (
       select e.tenant_id, e.transaction_id, e.currency, sum(e.amount) as debited
       from ledger.entries e where e.amount > 0 and ${OF_TENANT('e')}
       group by e.tenant_id, e.transaction_id, e.currency
     ) d on d.tenant_id = t.tenant_id and d.transaction_id = t.transaction_id and d.currency = t.currency
     where ${OF_TENANT('t')} and (
       e.entries is distinct from t.entry_count or e.first_at <> t.booked_at or e.last_at <> t.booked_at
       or e.first_on <> t.effective_on or e.last_on <> t.effective_on or d.debited is distinct from t.amount)`,
  ),
  check(
    1,
    'an entry belongs to a transaction',
    `select e.tenant_id, e.transaction_id::text as object, 'account ' || e.account_id as found
     from ledger.entries e
     left join ledger.transactions t on t.tenant_id = e.tenant_id and t.transaction_id = e.transaction_id
     where ${OF_TENANT('e')} and t.transaction_id is null`,
  ),
  check(
    2,
    'an entry is in the currency of its account',
    `select e.tenant_id, e.account_id::text as object,
            e.currency || ' in ' || coalesce(b.currency, 'no account') as found
     from ledger.entries e
     left join ledger.balances b on b.tenant_id = e.tenant_id and b.account_id = e.account_id
     where ${OF_TENANT('e')} and b.currency is distinct from e.currency`,
  ),
  check(
    3,
    'the balance of an account is the sum of its entries, and its last entry says the same',
    `select b.tenant_id, b.account_id::text as object,
            'debits ' || b.debits_posted || ' of ' || coalesce(e.debits, 0)
              || ', credits ' || b.credits_posted || ' of ' || coalesce(e.credits, 0)
              || ', last_seq ' || b.last_seq || ' of ' || coalesce(e.entries, 0) as found
     from ledger.balances b
     left join (
       select e.tenant_id, e.account_id, count(*) as entries, max(e.seq) as last_seq,
              max(e.booked_at) as last_at, sum(greatest(e.amount, 0)) as debits,
              sum(greatest(-e.amount, 0)) as credits,
              (array_agg(e.balance_after order by e.seq desc))[1] as last_balance
       from ledger.entries e where ${OF_TENANT('e')} group by e.tenant_id, e.account_id
     ) e on e.tenant_id = b.tenant_id and e.account_id = b.account_id
     where ${OF_TENANT('b')} and (
       b.debits_posted <> coalesce(e.debits, 0) or b.credits_posted <> coalesce(e.credits, 0)
       or b.last_seq <> coalesce(e.entries, 0) or b.last_seq <> coalesce(e.last_seq, 0)
       or b.last_booked_at <> coalesce(e.last_at, '1970-01-01Z')
       or b.debits_posted - b.credits_posted <> coalesce(e.last_balance, 0))`,
  ),
  check(
    4,
    'running balances follow one another, numbers have no gap, and time never falls back',
    `select w.tenant_id, w.account_id::text as object, 'entry ' || w.seq as found
     from (
       select e.tenant_id, e.account_id, e.seq, e.balance_after, e.amount, e.booked_at,
              lag(e.balance_after, 1, 0) over chain as balance_before,
              lag(e.seq, 1, 0) over chain as seq_before, lag(e.booked_at) over chain as booked_before
       from ledger.entries e where ${OF_TENANT('e')}
       window chain as (partition by e.tenant_id, e.account_id order by e.seq, e.booked_at)
     ) w
     where w.balance_after <> w.balance_before + w.amount or w.seq <> w.seq_before + 1
        or w.booked_at < w.booked_before`,
  ),
  check(
    5,
    'an account is not below its limit beyond what was forced',
    `select b.tenant_id, b.account_id::text as object, 'available ' || a.available as found
     from ledger.balances b
     cross join lateral (
       select case b.normal_side
                when 'credit' then b.credits_posted - b.debits_posted - b.debits_pending
                else b.debits_posted - b.credits_posted - b.credits_pending
              end as available
     ) a
     where ${OF_TENANT('b')}
       and a.available < least(b.min_available, coalesce(b.forced_floor, b.min_available))`,
  ),
  check(
    6,
    'what is pending on an account is the rest of its pending holds',
    `select b.tenant_id, b.account_id::text as object,
            'debits ' || b.debits_pending || ' of ' || coalesce(d.rest, 0)
              || ', credits ' || b.credits_pending || ' of ' || coalesce(c.rest, 0) as found
     from ledger.balances b
     left join (
       select h.tenant_id, h.debit_account_id as account_id,
              sum(h.amount - h.posted_amount - h.released_amount) as rest
       from ledger.holds h where h.status = 'pending' and ${OF_TENANT('h')} group by 1, 2
     ) d on d.tenant_id = b.tenant_id and d.account_id = b.account_id
     left join (
       select h.tenant_id, h.credit_account_id as account_id,
              sum(h.amount - h.posted_amount - h.released_amount) as rest
       from ledger.holds h where h.status = 'pending' and ${OF_TENANT('h')} group by 1, 2
     ) c on c.tenant_id = b.tenant_id and c.account_id = b.account_id
     where ${OF_TENANT('b')} and (
       b.debits_pending <> coalesce(d.rest, 0) or b.credits_pending <> coalesce(c.rest, 0))`,
  ),
  check(
    6,
    'the amounts of a hold add up, and only a pending one has a rest',
    `select h.tenant_id, h.hold_id::text as object,
            h.status || ' ' || h.amount || ': ' || h.posted_amount || ' posted, '
              || h.released_amount || ' released' as found
     from ledger.holds h
     where ${OF_TENANT('h')} and (
       h.posted_amount < 0 or h.released_amount < 0
       or (h.status = 'pending' and h.posted_amount + h.released_amount >= h.amount)
       or (h.status <> 'pending' and h.posted_amount + h.released_amount <> h.amount))`,
  ),
  check(
    6,
    'a hold is in the currency of both its accounts',
    `select h.tenant_id, h.hold_id::text as object, h.currency as found
     from ledger.holds h
     left join ledger.balances d on d.tenant_id = h.tenant_id and d.account_id = h.debit_account_id
     left join ledger.balances c on c.tenant_id = h.tenant_id and c.account_id = h.credit_account_id
     where ${OF_TENANT('h')}
       and (d.currency is distinct from h.currency or c.currency is distinct from h.currency)`,
  ),
  check(
    7,
    'a transaction is reversed at most once, and names are given once',
    `select n.tenant_id, min(n.transaction_id::text) as object, n.kind || ' ' || n.name as found
     from (
       select t.tenant_id, t.transaction_id, 'reversal of' as kind, t.reverses_transaction_id::text as name
       from ledger.transactions t where t.reverses_transaction_id is not null and ${OF_TENANT('t')}
       union all
       select t.tenant_id, t.transaction_id, 'external_id', t.external_id
       from ledger.transactions t where t.external_id is not null and ${OF_TENANT('t')}
       union all
       select t.tenant_id, t.transaction_id, 'dedupe_key', t.dedupe_key
       from ledger.transactions t where t.dedupe_key is not null and ${OF_TENANT('t')}
     ) n
     group by n.tenant_id, n.kind, n.name having count(*) > 1`,
  ),
  check(
    7,
    'a reversal is the opposite of what it reverses',
    `select r.tenant_id, r.transaction_id::text as object, 'account ' || e.account_id as found
     from ledger.transactions r
     join ledger.entries e on e.tenant_id = r.tenant_id
       and e.transaction_id in (r.transaction_id, r.reverses_transaction_id)
     where r.reverses_transaction_id is not null and ${OF_TENANT('r')}
     group by r.tenant_id, r.transaction_id, e.account_id having sum(e.amount) <> 0`,
  ),
  check(
    10,
    'the trial balance is zero in every currency',
    `select b.tenant_id, b.currency as object, sum(b.debits_posted - b.credits_posted)::text as found
     from ledger.balances b where ${OF_TENANT('b')}
     group by b.tenant_id, b.currency having sum(b.debits_posted - b.credits_posted) <> 0`,
  ),
]

export interface LedgerCounts {
  readonly accounts: bigint
  readonly transactions: bigint
  readonly entries: bigint
  readonly holds: bigint
}

export async function countLedger(tx: Tx, tenantId: string | null): Promise<LedgerCounts> {
  return (await selectCounts(tx, tenantId)).rows[0] as LedgerCounts
}

const selectCounts = statement<LedgerCounts>(`
  select (select count(*) from ledger.balances t where $1::uuid is null or t.tenant_id = $1) as accounts,
         (select count(*) from ledger.transactions t where $1::uuid is null or t.tenant_id = $1) as transactions,
         (select count(*) from ledger.entries t where $1::uuid is null or t.tenant_id = $1) as entries,
         (select count(*) from ledger.holds t where $1::uuid is null or t.tenant_id = $1) as holds`)
