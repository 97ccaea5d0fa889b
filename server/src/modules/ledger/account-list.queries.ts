import { sql } from 'kysely'
import type { Db } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import type { AccountRow } from './account-row.ts'

/** Reads of whole accounts, each a single statement outside any transaction. */

export interface AccountFilters {
  readonly currency?: string
  readonly role?: string
  readonly externalId?: string
  readonly status?: 'open' | 'closed'
  /** None but these. */
  readonly ids?: readonly string[]
}

export async function findAccount(
  db: Db,
  tenantId: string,
  accountId: string,
): Promise<AccountRow | undefined> {
  return await accounts(db, tenantId).where('a.account_id', '=', accountId).executeTakeFirst()
}

/** One more than the page holds, in order of opening. */
export async function listAccounts(
  db: Db,
  tenantId: string,
  { currency, role, externalId, status, ids }: AccountFilters,
  { limit, order, after }: Page,
): Promise<AccountRow[]> {
  let query = accounts(db, tenantId)
    .orderBy('a.account_id', order)
    .limit(limit + 1)
  if (currency !== undefined) query = query.where('b.currency', '=', currency)
  if (role !== undefined) query = query.where('c.role', '=', role)
  if (externalId !== undefined) query = query.where('a.external_id', '=', externalId)
  if (status !== undefined) query = query.where('b.status', '=', status)
  if (ids !== undefined) query = query.where('a.account_id', '=', sql<string>`any(${ids}::uuid[])`)
  const [last] = after ?? []
  if (last !== undefined) query = query.where('a.account_id', order === 'asc' ? '>' : '<', last)
  return await query.execute()
}

function accounts(db: Db, tenantId: string) {
  return db
    .selectFrom('ledger.accounts as a')
    .innerJoin('ledger.balances as b', (join) =>
      join.onRef('b.tenant_id', '=', 'a.tenant_id').onRef('b.account_id', '=', 'a.account_id'),
    )
    .innerJoin('ledger.chart_lines as c', (join) =>
      join.onRef('c.tenant_id', '=', 'a.tenant_id').onRef('c.code', '=', 'a.chart_code'),
    )
    .where('a.tenant_id', '=', tenantId)
    .select([
      'a.tenant_id',
      'a.account_id',
      'a.key',
      'a.chart_code',
      'a.name',
      'a.external_id',
      'a.metadata',
      'a.version',
      'a.created_at',
      'b.currency',
      'b.normal_side',
      'b.status',
      'b.blocked',
      'b.min_available',
      'b.max_balance',
      'b.debits_posted',
      'b.credits_posted',
      'b.debits_pending',
      'b.credits_pending',
      'b.last_seq',
      'c.role',
      'c.type',
      'c.clearing',
    ])
    .$castTo<AccountRow>()
}
