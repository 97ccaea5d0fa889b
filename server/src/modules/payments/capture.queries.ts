import type { Selectable } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { Failure } from './connectors/failure-codes.ts'
import type { CaptureState } from './payment.states.ts'

type Tx = TxOf<'payments'>

export type CaptureRow = Omit<Selectable<DB['payments.captures']>, 'status' | 'failure'> & {
  status: CaptureState
  failure: Failure | null
}

export async function listCapturesOf(
  tx: Tx,
  tenantId: string,
  paymentId: string,
): Promise<CaptureRow[]> {
  const rows = await tx
    .selectFrom('payments.captures')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('payment_id', '=', paymentId)
    .orderBy('id')
    .limit(1_000)
    .execute()
  return rows as CaptureRow[]
}

export async function lockCaptures(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, CaptureRow>> {
  if (ids.length === 0) return new Map()
  const { rows } = await selectForUpdate(tx, tenantId, [...new Set(ids)].toSorted())
  return new Map(rows.map((row) => [row.id, row]))
}

const selectForUpdate = statement<CaptureRow>(`
  select * from payments.captures where tenant_id = $1 and id = any($2::uuid[]) order by id for update`)

export function insertCaptures(tx: Tx, rows: readonly CaptureRow[]): void {
  if (rows.length === 0) return
  insertRows.send(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.payment_id),
    rows.map((row) => row.amount),
    rows.map((row) => row.currency),
    rows.map((row) => row.final),
    rows.map((row) => row.created_by),
    rows.map((row) => row.created_at),
  )
}

const insertRows = statement(`
  insert into payments.captures
    (tenant_id, id, payment_id, version, amount, currency, final, status, created_by, created_at,
     updated_at)
  select u.tenant_id, u.id, u.payment_id, 1, u.amount, u.currency, u.final, 'pending', u.created_by,
         u.created_at, u.created_at
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::bool[], $7::text[],
              $8::timestamptz[])
    as u (tenant_id, id, payment_id, amount, currency, final, created_by, created_at)`)

export async function updateCaptures(tx: Tx, rows: readonly CaptureRow[]): Promise<void> {
  if (rows.length === 0) return
  const result = await updateRows(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    rows.map((row) => row.status),
    rows.map((row) => row.failure),
    rows.map((row) => row.updated_at),
  )
  expectCount('captures', result, rows.length)
}

const updateRows = statement(`
  update payments.captures c
  set version = u.version, status = u.status, failure = u.failure, updated_at = u.updated_at
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::jsonb[], $6::timestamptz[])
    as u (tenant_id, id, version, status, failure, updated_at)
  where c.tenant_id = u.tenant_id and c.id = u.id and c.version = u.version - 1`)
