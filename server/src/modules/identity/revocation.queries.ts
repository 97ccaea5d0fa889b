import { sql } from 'kysely'
import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'

/**
 * What is refused although it is signed. Every node follows the whole table by the ids of the
 * transactions that wrote it, across tenants: a named exception to "tenant first".
 */
type Tx = TxOf<'identity'>

export type RevocationKind = 'jti' | 'grant' | 'subject' | 'client' | 'tenant'

export interface NewRevocation {
  readonly tenantId: string
  readonly kind: RevocationKind
  /** The token's `jti`, the grant's id, `usr_…` or `cli_…`, or the tenant's uuid. */
  readonly value: string
  readonly reason: string
  /** Tokens issued until then are refused. A `jti` or `grant` is refused whenever it was issued. */
  readonly notBefore: Date
  readonly dropAfter: Date
}

/** A row again with a later end: the same thing revoked twice is revoked until the later one. */
export async function upsertRevocations(tx: Tx, rows: readonly NewRevocation[]): Promise<void> {
  await upsert(
    tx,
    rows.map(({ tenantId }) => tenantId),
    rows.map(({ kind }) => kind),
    rows.map(({ value }) => value),
    rows.map(({ reason }) => reason),
    rows.map(({ notBefore }) => notBefore),
    rows.map(({ dropAfter }) => dropAfter),
  )
}

// One thing named twice in a call would otherwise be updated twice by one statement, which fails.
const upsert = statement(`
  insert into identity.revocations as kept (tenant_id, kind, value, reason, not_before, drop_after)
  select tenant_id, kind, value, min(reason), max(not_before), max(drop_after)
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
      as asked (tenant_id, kind, value, reason, not_before, drop_after)
   group by tenant_id, kind, value order by tenant_id, kind, value
  on conflict (tenant_id, kind, value) do update
  set reason = excluded.reason,
      not_before = greatest(kept.not_before, excluded.not_before),
      drop_after = greatest(kept.drop_after, excluded.drop_after),
      xid = pg_current_xact_id()`)

/** Lets tokens in again that are issued after `notBefore`; those from before stay refused. */
export async function shortenRevocation(
  tx: Tx,
  { tenantId, kind, value, notBefore }: Omit<NewRevocation, 'reason' | 'dropAfter'>,
): Promise<void> {
  await sql`
    update identity.revocations
       set not_before = least(not_before, ${notBefore}), xid = pg_current_xact_id()
     where tenant_id = ${tenantId} and kind = ${kind} and value = ${value}`.execute(tx)
}

export interface RevocationRow {
  readonly tenant_id: string
  readonly kind: RevocationKind
  readonly value: string
  readonly not_before: Date
  readonly drop_after: Date
}

export interface RevocationsRead {
  readonly rows: readonly RevocationRow[]
  /** Where the next look starts: everything written by a transaction before it was seen. */
  readonly next: string
}

/**
 * What transactions from `from` on have written, and the oldest transaction that was still open: it
 * and later ones may yet commit, so the next look starts there. A row seen twice does no harm.
 */
export async function readRevocations(tx: Tx, from: string): Promise<RevocationsRead> {
  const { rows } = await sql<RevocationRow & { next: string; kind: RevocationKind | null }>`
    with now_open as (select pg_snapshot_xmin(pg_current_snapshot())::text as next)
    select now_open.next, tenant_id, kind, value, not_before, drop_after
      from now_open left join identity.revocations on xid >= ${from}::text::xid8`.execute(tx)
  const [first] = rows
  if (first === undefined) throw new Error('the database named no transaction')
  return { rows: rows.filter(({ kind }) => kind !== null), next: first.next }
}

/** At most `limit`; answers how many went. */
export async function deleteDroppedRevocations(tx: Tx, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from identity.revocations where (tenant_id, kind, value) in (
      select tenant_id, kind, value from identity.revocations
      where drop_after < now() order by drop_after limit ${limit})`.execute(tx)
  return Number(numAffectedRows)
}
