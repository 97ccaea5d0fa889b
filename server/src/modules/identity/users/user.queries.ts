import { type Selectable, sql } from 'kysely'
import type { DB, TxOf } from '../../../platform/db/types.ts'
import type { Page } from '../../../platform/page.ts'

type Tx = TxOf<'identity'>

export type UserKind = 'customer' | 'operator'
export type UserStatus = 'active' | 'disabled'

/** What the schema knows only as text. */
interface Narrow {
  kind: UserKind
  status: UserStatus
}
export type UserRow = Omit<Selectable<DB['identity.users']>, keyof Narrow> & Narrow

/** Names taken by others are left out; answers the ids of those that were written. */
export async function insertUsers(tx: Tx, rows: readonly UserRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const written = await tx
    .insertInto('identity.users')
    .values([...rows])
    .onConflict((conflict) => conflict.columns(['tenant_id', 'username']).doNothing())
    .returning('user_id')
    .execute()
  return new Set(written.map(({ user_id }) => user_id))
}

export async function findUser(
  tx: Tx,
  tenantId: string,
  userId: string,
): Promise<UserRow | undefined> {
  return await users(tx, tenantId).where('user_id', '=', userId).executeTakeFirst()
}

export async function findUserByName(
  tx: Tx,
  tenantId: string,
  username: string,
): Promise<UserRow | undefined> {
  return await users(tx, tenantId).where('username', '=', username).executeTakeFirst()
}

/** One row more than the page shows, to know whether there is another. */
export async function listUsers(
  tx: Tx,
  tenantId: string,
  kind: UserKind,
  { limit, order, after }: Page,
): Promise<UserRow[]> {
  let query = users(tx, tenantId).where('kind', '=', kind)
  if (after?.[0] !== undefined) {
    query = query.where('user_id', order === 'desc' ? '<' : '>', after[0])
  }
  return await query
    .orderBy('user_id', order)
    .limit(limit + 1)
    .execute()
}

export async function lockUsers(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, UserRow>> {
  const { rows } = await sql<UserRow>`
    select * from identity.users
    where tenant_id = ${tenantId} and user_id = any(${ids}::uuid[])
    order by user_id for update`.execute(tx)
  return new Map(rows.map((row) => [row.user_id, row]))
}

export async function updateStatuses(
  tx: Tx,
  tenantId: string,
  rows: readonly UserRow[],
): Promise<void> {
  await sql`
    update identity.users as u
    set status = c.status, version = c.version, updated_at = c.updated_at
    from unnest(${rows.map((row) => row.user_id)}::uuid[], ${rows.map((row) => row.status)}::text[],
                ${rows.map((row) => row.version)}::integer[],
                ${rows.map((row) => row.updated_at)}::timestamptz[])
      as c (user_id, status, version, updated_at)
    where u.tenant_id = ${tenantId} and u.user_id = c.user_id`.execute(tx)
}

function users(tx: Tx, tenantId: string) {
  return tx
    .selectFrom('identity.users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$castTo<UserRow>()
}
