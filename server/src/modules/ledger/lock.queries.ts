import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'

/**
 * What the poster locks and reads. Ids travel as pairs with their tenant, and a lateral look-up per
 * pair probes the index in any plan (a join back to the batch scanned the table from 1,000 ids on).
 */
type Tx = TxOf<'ledger'>

/** An object of one tenant. */
export interface Pair {
  readonly tenantId: string
  readonly id: string
}

export interface BalanceRow {
  readonly tenant_id: string
  readonly account_id: string
  readonly currency: string
  readonly normal_side: 'debit' | 'credit'
  /** Role of its chart line, such as `customer_funds`. */
  readonly chart_role: string
  readonly status: 'open' | 'closed'
  readonly blocked: 'none' | 'outgoing' | 'incoming' | 'both'
  readonly min_available: bigint | null
  readonly max_balance: bigint | null
  readonly forced_floor: bigint | null
  readonly debits_posted: bigint
  readonly credits_posted: bigint
  readonly debits_pending: bigint
  readonly credits_pending: bigint
  readonly last_seq: bigint
  readonly last_booked_micros: bigint
}

/** Locks balance rows in the order given: sorted by tenant and id, or two batches deadlock. */
export async function lockBalances(tx: Tx, sorted: readonly Pair[]): Promise<BalanceRow[]> {
  const { rows } = await selectBalancesForUpdate(tx, tenants(sorted), ids(sorted))
  return rows
}

const BALANCE = `b.tenant_id, b.account_id, b.currency, b.normal_side, b.chart_role, b.status, b.blocked,
    b.min_available, b.max_balance, b.forced_floor, b.debits_posted, b.credits_posted,
    b.debits_pending, b.credits_pending, b.last_seq,
    (extract(epoch from b.last_booked_at) * 1000000)::bigint as last_booked_micros`

const selectBalancesForUpdate = statement<BalanceRow>(`
  select ${BALANCE} from unnest($1::uuid[], $2::uuid[]) with ordinality as u (tenant_id, id, o)
  cross join lateral (
    select * from ledger.balances b
    where b.tenant_id = u.tenant_id and b.account_id = u.id for update
  ) b`)

/** The same rows without a lock: good enough to refuse early, not to post. */
export async function findBalances(tx: Tx, pairs: readonly Pair[]): Promise<BalanceRow[]> {
  const { rows } = await selectBalances(tx, tenants(pairs), ids(pairs))
  return rows
}

const selectBalances = statement<BalanceRow>(`
  select ${BALANCE} from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, id)
  cross join lateral (
    select * from ledger.balances b where b.tenant_id = u.tenant_id and b.account_id = u.id
  ) b`)

export interface BookRow {
  readonly tenant_id: string
  readonly time_zone: string
  readonly closed_through: string
  readonly now_micros: bigint
}

/** Shares each tenant's book, so that no period closes meanwhile, and reads the clock after the locks. */
export async function shareBooks(tx: Tx, tenantIds: readonly string[]): Promise<BookRow[]> {
  const { rows } = await selectBooksForShare(tx, tenantIds)
  return rows
}

// clock_timestamp, not now(): BEGIN may precede an entry of the batch we waited for.
const selectBooksForShare = statement<BookRow>(`
  select b.tenant_id, b.time_zone, b.closed_through,
         (extract(epoch from clock_timestamp()) * 1000000)::bigint as now_micros
  from unnest($1::uuid[]) with ordinality as u (tenant_id, o)
  cross join lateral (
    select * from ledger.books k where k.tenant_id = u.tenant_id for share
  ) b`)

export interface HoldRow {
  readonly tenant_id: string
  readonly hold_id: string
  readonly debit_account_id: string
  readonly credit_account_id: string
  readonly currency: string
  readonly amount: bigint
  readonly posted_amount: bigint
  readonly released_amount: bigint
  readonly status: 'pending' | 'posted' | 'voided' | 'expired'
  readonly expires_at: Date | null
  readonly correlation_id: string | null
  readonly description: string | null
  readonly metadata: Record<string, string>
  readonly version: number
  readonly event_sequence: number
  readonly created_at: Date
}

export async function lockHolds(tx: Tx, sorted: readonly Pair[]): Promise<HoldRow[]> {
  if (sorted.length === 0) return []
  const { rows } = await selectHoldsForUpdate(tx, tenants(sorted), ids(sorted))
  return rows
}

const selectHoldsForUpdate = statement<HoldRow>(`
  select h.* from unnest($1::uuid[], $2::uuid[]) with ordinality as u (tenant_id, id, o)
  cross join lateral (
    select * from ledger.holds h where h.tenant_id = u.tenant_id and h.hold_id = u.id for update
  ) h`)

export interface OriginalRow {
  readonly tenant_id: string
  readonly transaction_id: string
  readonly type: string
  readonly effective_on: string
  readonly correlation_id: string | null
  readonly reverses_transaction_id: string | null
  readonly module: string | null
  readonly account_id: string
  readonly currency: string
  readonly amount: bigint
}

/** The entries of transactions to be reversed, one row per entry. They never change. */
export async function findOriginals(tx: Tx, pairs: readonly Pair[]): Promise<OriginalRow[]> {
  if (pairs.length === 0) return []
  const { rows } = await selectOriginals(tx, tenants(pairs), ids(pairs))
  return rows
}

const selectOriginals = statement<OriginalRow>(`
  select t.tenant_id, t.transaction_id, t.type, t.effective_on, t.correlation_id,
         t.reverses_transaction_id, t.module, e.account_id, e.currency, e.amount
  from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, id)
  cross join lateral (
    select * from ledger.transactions t where t.tenant_id = u.tenant_id and t.transaction_id = u.id
  ) t
  cross join lateral (
    select * from ledger.entries e
    where e.tenant_id = t.tenant_id and e.transaction_id = t.transaction_id
    order by e.account_id, e.seq
  ) e`)

export interface TakenRow {
  readonly tenant_id: string
  readonly name: string
  readonly transaction_id: string
}

/** Which of these external ids are in use. Read after the locks. */
export async function findExternalIds(tx: Tx, pairs: readonly Pair[]): Promise<TakenRow[]> {
  if (pairs.length === 0) return []
  return (await selectExternalIds(tx, tenants(pairs), names(pairs))).rows
}

const selectExternalIds = statement<TakenRow>(`
  select t.tenant_id, t.external_id as name, t.transaction_id
  from unnest($1::uuid[], $2::text[]) as u (tenant_id, name)
  cross join lateral (
    select * from ledger.transactions t where t.tenant_id = u.tenant_id and t.external_id = u.name
  ) t`)

export async function findDedupeKeys(tx: Tx, pairs: readonly Pair[]): Promise<TakenRow[]> {
  if (pairs.length === 0) return []
  return (await selectDedupeKeys(tx, tenants(pairs), names(pairs))).rows
}

const selectDedupeKeys = statement<TakenRow>(`
  select t.tenant_id, t.dedupe_key as name, t.transaction_id
  from unnest($1::uuid[], $2::text[]) as u (tenant_id, name)
  cross join lateral (
    select * from ledger.transactions t where t.tenant_id = u.tenant_id and t.dedupe_key = u.name
  ) t`)

export async function findReversals(tx: Tx, pairs: readonly Pair[]): Promise<TakenRow[]> {
  if (pairs.length === 0) return []
  return (await selectReversals(tx, tenants(pairs), ids(pairs))).rows
}

const selectReversals = statement<TakenRow>(`
  select t.tenant_id, t.reverses_transaction_id::text as name, t.transaction_id
  from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, id)
  cross join lateral (
    select * from ledger.transactions t
    where t.tenant_id = u.tenant_id and t.reverses_transaction_id = u.id
  ) t`)

/** Which of these transactions exist. They never go away, so no lock is needed. */
export async function findTransactionIds(
  tx: Tx,
  pairs: readonly Pair[],
): Promise<Pick<TakenRow, 'tenant_id' | 'transaction_id'>[]> {
  if (pairs.length === 0) return []
  return (await selectTransactionIds(tx, tenants(pairs), ids(pairs))).rows
}

const selectTransactionIds = statement<TakenRow>(`
  select t.tenant_id, t.transaction_id
  from unnest($1::uuid[], $2::uuid[]) as u (tenant_id, id)
  cross join lateral (
    select * from ledger.transactions t where t.tenant_id = u.tenant_id and t.transaction_id = u.id
  ) t`)

function tenants(pairs: readonly Pair[]): string[] {
  return pairs.map(({ tenantId }) => tenantId)
}

function ids(pairs: readonly Pair[]): string[] {
  return pairs.map(({ id }) => id)
}

function names(pairs: readonly Pair[]): string[] {
  return pairs.map(({ id }) => id)
}
