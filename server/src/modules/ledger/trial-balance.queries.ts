import { statement } from '../../platform/db/statement.ts'
import type { Db } from '../../platform/db/types.ts'

/** One line of the chart in one currency. */
export interface TrialBalanceRow {
  readonly code: string
  readonly role: string
  readonly name: string
  readonly type: string
  readonly normal_side: 'debit' | 'credit'
  readonly clearing: boolean
  readonly currency: string
  readonly accounts: bigint
  /** Debits less credits, as text: a sum may exceed int8. */
  readonly net: string
}

const LINE = 'c.code, c.role, c.name, c.type, c.normal_side, c.clearing'

/** As it is now, from the balances themselves: one snapshot, so it balances whatever is booked meanwhile. */
export async function sumBalances(db: Db, tenantId: string): Promise<TrialBalanceRow[]> {
  return (await selectBalanceSums(db, tenantId)).rows
}

const selectBalanceSums = statement<TrialBalanceRow>(`
  select ${LINE}, b.currency, count(*) as accounts, sum(b.debits_posted - b.credits_posted)::text as net
  from ledger.balances b
  join ledger.accounts a on a.tenant_id = b.tenant_id and a.account_id = b.account_id
  join ledger.chart_lines c on c.tenant_id = a.tenant_id and c.code = a.chart_code
  where b.tenant_id = $1
  group by ${LINE}, b.currency order by c.code, b.currency`)

/** What was booked by an instant: one look into the entries of each account. */
export async function sumBookedBalances(
  db: Db,
  tenantId: string,
  asOf: string,
): Promise<TrialBalanceRow[]> {
  return (await selectBookedSums(db, tenantId, asOf)).rows
}

const selectBookedSums = statement<TrialBalanceRow>(`
  select ${LINE}, b.currency, count(*) as accounts, sum(coalesce(e.balance_after, 0))::text as net
  from ledger.balances b
  join ledger.accounts a on a.tenant_id = b.tenant_id and a.account_id = b.account_id
  join ledger.chart_lines c on c.tenant_id = a.tenant_id and c.code = a.chart_code
  left join lateral (
    select n.balance_after from ledger.entries n
    where n.tenant_id = b.tenant_id and n.account_id = b.account_id and n.booked_at <= $2::timestamptz
    order by n.booked_at desc, n.seq desc limit 1
  ) e on true
  where b.tenant_id = $1
  group by ${LINE}, b.currency order by c.code, b.currency`)

/** What is in effect at the end of a day: reads every entry of the tenant. */
export async function sumEffectiveBalances(
  db: Db,
  tenantId: string,
  day: string,
): Promise<TrialBalanceRow[]> {
  return (await selectEffectiveSums(db, tenantId, day)).rows
}

const selectEffectiveSums = statement<TrialBalanceRow>(`
  select ${LINE}, b.currency, count(*) as accounts, sum(coalesce(e.net, 0))::text as net
  from ledger.balances b
  join ledger.accounts a on a.tenant_id = b.tenant_id and a.account_id = b.account_id
  join ledger.chart_lines c on c.tenant_id = a.tenant_id and c.code = a.chart_code
  left join (
    select n.account_id, sum(n.amount) as net from ledger.entries n
    where n.tenant_id = $1 and n.effective_on <= $2::date
    group by n.account_id
  ) e on e.account_id = b.account_id
  where b.tenant_id = $1
  group by ${LINE}, b.currency order by c.code, b.currency`)

/** Of the tenant's business days. */
export async function findTimeZone(db: Db, tenantId: string): Promise<string> {
  const row = (await selectTimeZone(db, tenantId)).rows[0]
  if (row === undefined) throw new Error(`tenant ${tenantId} has no books`)
  return row.time_zone
}

const selectTimeZone = statement<{ time_zone: string }>(`
  select time_zone from ledger.books where tenant_id = $1`)
