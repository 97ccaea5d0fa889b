import type { Selectable } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { Failure } from './connectors/failure-codes.ts'
import type { TakenId } from './payment.queries.ts'
import type { RefundState } from './payment.states.ts'

type Tx = TxOf<'payments'>

export type RefundRow = Omit<
  Selectable<DB['payments.refunds']>,
  'status' | 'reason' | 'failure' | 'metadata'
> & {
  status: RefundState
  reason: 'requested_by_customer' | 'duplicate' | 'fraudulent' | 'other'
  failure: Failure | null
  metadata: Record<string, string>
}

export async function findRefund(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<RefundRow | undefined> {
  const row = await tx
    .selectFrom('payments.refunds')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row as RefundRow | undefined
}

/** A payment's refunds, oldest first. A payment has few: each needs an amount of its own. */
export async function listRefundsOf(
  tx: Tx,
  tenantId: string,
  paymentId: string,
): Promise<RefundRow[]> {
  const rows = await tx
    .selectFrom('payments.refunds')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('payment_id', '=', paymentId)
    .orderBy('id')
    .limit(1_000)
    .execute()
  return rows as RefundRow[]
}

export async function lockRefunds(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, RefundRow>> {
  if (ids.length === 0) return new Map()
  const { rows } = await selectForUpdate(tx, tenantId, [...new Set(ids)].toSorted())
  return new Map(rows.map((row) => [row.id, row]))
}

const selectForUpdate = statement<RefundRow>(`
  select * from payments.refunds where tenant_id = $1 and id = any($2::uuid[]) order by id for update`)

export async function findRefundsByExternalId(
  tx: Tx,
  names: readonly { tenantId: string; externalId: string }[],
): Promise<TakenId[]> {
  if (names.length === 0) return []
  const { rows } = await selectByExternalId(
    tx,
    names.map(({ tenantId }) => tenantId),
    names.map(({ externalId }) => externalId),
  )
  return rows
}

const selectByExternalId = statement<TakenId>(`
  select r.tenant_id, r.external_id, r.id
  from unnest($1::uuid[], $2::text[]) as u (tenant_id, external_id)
  cross join lateral (
    select * from payments.refunds r
    where r.tenant_id = u.tenant_id and r.external_id = u.external_id
  ) r`)

export function insertRefunds(tx: Tx, rows: readonly RefundRow[]): void {
  if (rows.length === 0) return
  insertRows.send(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.payment_id),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.amount),
    rows.map((row) => row.currency),
    rows.map((row) => row.reason),
    rows.map((row) => row.status),
    rows.map((row) => row.external_id),
    rows.map((row) => row.description),
    rows.map((row) => row.metadata),
    rows.map((row) => `{${row.ledger_transaction_ids.join(',')}}`),
    rows.map((row) => row.latest_attempt_id),
    rows.map((row) => row.created_by),
    rows.map((row) => row.created_at),
    rows.map((row) => row.completed_at),
  )
}

const insertRows = statement(`
  insert into payments.refunds
    (tenant_id, id, payment_id, version, event_sequence, amount, currency, reason, status, external_id,
     description, metadata, ledger_transaction_ids, latest_attempt_id, created_by, created_at,
     updated_at, completed_at)
  select u.tenant_id, u.id, u.payment_id, 1, u.event_sequence, u.amount, u.currency, u.reason, u.status,
         u.external_id, u.description, u.metadata, u.ledger_transaction_ids::uuid[],
         u.latest_attempt_id, u.created_by, u.created_at, u.created_at, u.completed_at
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::text[], $7::text[],
              $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::text[], $13::uuid[],
              $14::text[], $15::timestamptz[], $16::timestamptz[])
    as u (tenant_id, id, payment_id, event_sequence, amount, currency, reason, status, external_id,
          description, metadata, ledger_transaction_ids, latest_attempt_id, created_by, created_at,
          completed_at)`)

/** Writes refunds that were locked and changed in memory. */
export async function updateRefunds(tx: Tx, rows: readonly RefundRow[]): Promise<void> {
  if (rows.length === 0) return
  const result = await updateRows(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.status),
    rows.map((row) => row.failure),
    rows.map((row) => `{${row.ledger_transaction_ids.join(',')}}`),
    rows.map((row) => row.updated_at),
    rows.map((row) => row.completed_at),
  )
  expectCount('refunds', result, rows.length)
}

const updateRows = statement(`
  update payments.refunds r
  set version = u.version, event_sequence = u.event_sequence, status = u.status, failure = u.failure,
      ledger_transaction_ids = u.ledger_transaction_ids::uuid[], updated_at = u.updated_at,
      completed_at = u.completed_at
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::jsonb[], $7::text[],
              $8::timestamptz[], $9::timestamptz[])
    as u (tenant_id, id, version, event_sequence, status, failure, ledger_transaction_ids, updated_at,
          completed_at)
  where r.tenant_id = u.tenant_id and r.id = u.id and r.version = u.version - 1`)
