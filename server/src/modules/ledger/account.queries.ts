import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'
import type { ChartLine } from './chart.ts'

/** What opens the books and the accounts of a tenant. */
type Tx = TxOf<'ledger'>

export async function insertBook(tx: Tx, tenantId: string, timeZone: string): Promise<void> {
  await insertBooks(tx, tenantId, timeZone)
}

const insertBooks = statement(`
  insert into ledger.books (tenant_id, time_zone) values ($1, $2) on conflict do nothing`)

export async function insertChart(
  tx: Tx,
  tenantId: string,
  lines: readonly ChartLine[],
): Promise<void> {
  await insertChartLines(
    tx,
    tenantId,
    lines.map(({ code }) => code),
    lines.map(({ role }) => role),
    lines.map(({ name }) => name),
    lines.map(({ type }) => type),
    lines.map(({ normalSide }) => normalSide),
    lines.map(({ clearing }) => clearing),
  )
}

const insertChartLines = statement(`
  insert into ledger.chart_lines (tenant_id, code, role, name, type, normal_side, postable, clearing)
  select $1, u.code, u.role, u.name, u.type, u.normal_side, true, u.clearing
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[])
    as u (code, role, name, type, normal_side, clearing)
  on conflict do nothing`)

export interface ChartRow {
  readonly code: string
  readonly role: string
  readonly type: ChartLine['type']
  readonly normal_side: 'debit' | 'credit'
  readonly postable: boolean
  readonly clearing: boolean
}

/** The whole chart: some hundreds of lines at most. */
export async function listChart(tx: Tx, tenantId: string): Promise<ChartRow[]> {
  return (await selectChart(tx, tenantId)).rows
}

const selectChart = statement<ChartRow>(`
  select code, role, type, normal_side, postable, clearing from ledger.chart_lines
  where tenant_id = $1`)

/** An account as it is to be opened; `key` names it for a module, `externalId` for a client. */
export interface NewAccount {
  readonly tenantId: string
  readonly accountId: string
  readonly key: string | null
  readonly role: string
  readonly name: string
  readonly currency: string
  readonly externalId: string | null
  readonly minAvailable: bigint | null
  readonly maxBalance: bigint | null
  readonly metadata: Readonly<Record<string, string>>
  readonly at: Date
}

/** Inserts accounts and their balance rows; one whose key or external id exists is left as it is. */
export async function insertAccounts(tx: Tx, accounts: readonly NewAccount[]): Promise<string[]> {
  if (accounts.length === 0) return []
  const { rows } = await insertAccountRows(
    tx,
    accounts.map(({ tenantId }) => tenantId),
    accounts.map(({ accountId }) => accountId),
    accounts.map(({ key }) => key),
    accounts.map(({ role }) => role),
    accounts.map(({ name }) => name),
    accounts.map(({ currency }) => currency),
    accounts.map(({ externalId }) => externalId),
    accounts.map(({ minAvailable }) => minAvailable),
    accounts.map(({ maxBalance }) => maxBalance),
    accounts.map(({ metadata }) => metadata),
    accounts.map(({ at }) => at),
  )
  return rows.map((row) => row.account_id)
}

const insertAccountRows = statement<{ account_id: string }>(`
  with asked as (
    select u.*, c.code, c.normal_side
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::bigint[], $9::bigint[], $10::jsonb[], $11::timestamptz[])
      as u (tenant_id, account_id, key, role, name, currency, external_id, min_available, max_balance,
            metadata, created_at)
    join ledger.chart_lines c on c.tenant_id = u.tenant_id and c.role = u.role and c.postable
  ), opened as (
    insert into ledger.accounts (tenant_id, account_id, key, chart_code, name, external_id, metadata, created_at)
    select tenant_id, account_id, key, code, name, external_id, metadata, created_at from asked
    on conflict do nothing
    returning tenant_id, account_id
  )
  insert into ledger.balances
    (tenant_id, account_id, currency, normal_side, chart_role, min_available, max_balance, forced_floor)
  select a.tenant_id, a.account_id, a.currency, a.normal_side, a.role, a.min_available, a.max_balance,
         case when a.min_available > 0 then 0 end -- it is opened empty, below its limit
  from opened o join asked a on a.tenant_id = o.tenant_id and a.account_id = o.account_id
  returning account_id`)

export interface KeyedAccountRow {
  readonly tenant_id: string
  readonly key: string
  readonly account_id: string
}

export async function findAccountsByKey(
  tx: Tx,
  keys: readonly { tenantId: string; key: string }[],
): Promise<KeyedAccountRow[]> {
  if (keys.length === 0) return []
  const { rows } = await selectAccountsByKey(
    tx,
    keys.map(({ tenantId }) => tenantId),
    keys.map(({ key }) => key),
  )
  return rows
}

const selectAccountsByKey = statement<KeyedAccountRow>(`
  select a.tenant_id, a.key, a.account_id
  from unnest($1::uuid[], $2::text[]) as u (tenant_id, key)
  cross join lateral (
    select * from ledger.accounts a where a.tenant_id = u.tenant_id and a.key = u.key
  ) a`)

/** Which accounts bear these external ids. */
export async function findAccountsByExternalId(
  tx: Tx,
  tenantId: string,
  externalIds: readonly string[],
): Promise<{ external_id: string; account_id: string }[]> {
  if (externalIds.length === 0) return []
  return (await selectByExternalId(tx, tenantId, externalIds)).rows
}

const selectByExternalId = statement<{ external_id: string; account_id: string }>(`
  select a.external_id, a.account_id from unnest($2::text[]) as u (external_id)
  cross join lateral (
    select * from ledger.accounts a where a.tenant_id = $1 and a.external_id = u.external_id
  ) a`)
