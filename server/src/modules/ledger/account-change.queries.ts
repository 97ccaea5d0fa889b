import { expectCount, statement } from '../../platform/db/statement.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { TxOf } from '../../platform/db/types.ts'
import type { AccountRow } from './account-row.ts'
import { totalsOf } from './account-row.ts'
import { floorOf } from './balance.ts'

/** What changes the words and the limits of accounts. Their numbers are the poster's alone. */
type Tx = TxOf<'ledger'>

/** Locks accounts in the order of their ids, and after them their balances, as everybody does. */
export async function lockAccounts(
  tx: Tx,
  tenantId: string,
  accountIds: readonly string[],
): Promise<Map<string, AccountRow>> {
  const sorted = [...new Set(accountIds)].toSorted()
  const [words, numbers] = await Promise.all([
    selectAccountsForUpdate(tx, tenantId, sorted),
    selectBalancesForUpdate(tx, tenantId, sorted),
  ])
  const balances = new Map(numbers.rows.map((row) => [row.account_id, row]))
  return new Map(
    words.rows.map((row) => [
      row.account_id,
      { ...row, ...balances.get(row.account_id) } as AccountRow,
    ]),
  )
}

const selectAccountsForUpdate = statement<Pick<AccountRow, 'account_id'>>(`
  select a.tenant_id, a.account_id, a.key, a.chart_code, a.name, a.external_id, a.metadata, a.version,
         a.created_at, c.role, c.type, c.clearing
  from unnest($2::uuid[]) with ordinality as u (id, o)
  cross join lateral (
    select * from ledger.accounts a where a.tenant_id = $1 and a.account_id = u.id for update
  ) a
  join ledger.chart_lines c on c.tenant_id = a.tenant_id and c.code = a.chart_code`)

const selectBalancesForUpdate = statement<Pick<AccountRow, 'account_id'>>(`
  select b.account_id, b.currency, b.normal_side, b.status, b.blocked, b.min_available, b.max_balance,
         b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending, b.last_seq
  from unnest($2::uuid[]) with ordinality as u (id, o)
  cross join lateral (
    select * from ledger.balances b where b.tenant_id = $1 and b.account_id = u.id for update
  ) b`)

/** Writes locked accounts as they have become. */
export function writeAccounts(tx: Tx, tenantId: string, rows: readonly AccountRow[]): void {
  if (rows.length === 0) return
  pipelined(tx, updateWords(tx, tenantId, rows))
  pipelined(tx, updateLimits(tx, tenantId, rows))
}

async function updateWords(tx: Tx, tenantId: string, rows: readonly AccountRow[]): Promise<void> {
  const result = await updateAccountRows(
    tx,
    tenantId,
    rows.map((row) => row.account_id),
    rows.map((row) => row.name),
    rows.map((row) => row.metadata),
    rows.map((row) => row.version),
  )
  expectCount('accounts', result, rows.length)
}

const updateAccountRows = statement(`
  update ledger.accounts a set name = u.name, metadata = u.metadata, version = u.version
  from unnest($2::uuid[], $3::text[], $4::jsonb[], $5::int[]) as u (id, name, metadata, version)
  where a.tenant_id = $1 and a.account_id = u.id`)

async function updateLimits(tx: Tx, tenantId: string, rows: readonly AccountRow[]): Promise<void> {
  const result = await updateBalanceRows(
    tx,
    tenantId,
    rows.map((row) => row.account_id),
    rows.map((row) => row.status),
    rows.map((row) => row.blocked),
    rows.map((row) => row.min_available),
    rows.map((row) => row.max_balance),
    rows.map((row) => floorOf(totalsOf(row))),
  )
  expectCount('balances', result, rows.length)
}

const updateBalanceRows = statement(`
  update ledger.balances b
  set status = u.status, blocked = u.blocked, min_available = u.min_available,
      max_balance = u.max_balance, forced_floor = u.forced_floor
  from unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
    as u (id, status, blocked, min_available, max_balance, forced_floor)
  where b.tenant_id = $1 and b.account_id = u.id`)
