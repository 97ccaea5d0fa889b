import type { Selectable } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { TransferState } from './transfer.states.ts'

type Tx = TxOf<'banking'>

interface Narrow {
  state: TransferState
  metadata: Record<string, string>
}
export type TransferRow = Omit<Selectable<DB['banking.transfers']>, keyof Narrow> & Narrow

export async function insertTransfers(tx: Tx, rows: readonly TransferRow[]): Promise<void> {
  if (rows.length === 0) return
  await insertRows(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.state),
    rows.map((row) => row.from_account_id),
    rows.map((row) => row.to_account_id),
    rows.map((row) => row.beneficiary_id),
    rows.map((row) => row.amount),
    rows.map((row) => row.currency),
    rows.map((row) => row.reference),
    rows.map((row) => row.end_to_end_id),
    rows.map((row) => row.metadata),
    rows.map((row) => row.transaction_id),
    rows.map((row) => row.hold_id),
    rows.map((row) => row.consent_id),
    rows.map((row) => row.client_id),
    rows.map((row) => row.user_id),
    rows.map((row) => row.counted_on),
    rows.map((row) => row.created_at),
    rows.map((row) => row.booked_at),
  )
}

const insertRows = statement(`
  insert into banking.transfers
    (tenant_id, id, version, event_sequence, state, from_account_id, to_account_id, beneficiary_id, amount,
     currency, reference, end_to_end_id, metadata, transaction_id, hold_id, consent_id, client_id, user_id,
     counted_on, created_at, booked_at)
  select tenant_id, id, 1, 1, state, from_account_id, to_account_id, beneficiary_id, amount,
         currency, reference, end_to_end_id, metadata, transaction_id, hold_id, consent_id, client_id, user_id,
         counted_on, created_at, booked_at
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[],
              $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::uuid[], $13::uuid[], $14::uuid[],
              $15::text[], $16::text[], $17::date[], $18::timestamptz[], $19::timestamptz[])
    as u (tenant_id, id, state, from_account_id, to_account_id, beneficiary_id, amount, currency, reference,
          end_to_end_id, metadata, transaction_id, hold_id, consent_id, client_id, user_id, counted_on,
          created_at, booked_at)`)

/** Locks transfers, sorted by id. */
export async function lockTransfers(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, TransferRow>> {
  const { rows } = await selectForUpdate(tx, tenantId, ids)
  return new Map(rows.map((row) => [row.id, row]))
}

const selectForUpdate = statement<TransferRow>(`
  select * from banking.transfers where tenant_id = $1 and id = any($2::uuid[]) order by id for update`)

export async function findTransfers(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<TransferRow[]> {
  return (await selectTransfers(tx, tenantId, ids)).rows
}

const selectTransfers = statement<TransferRow>(`
  select * from banking.transfers where tenant_id = $1 and id = any($2::uuid[])`)

/** The transfers behind these transactions and holds of the ledger. */
export async function findTransfersBehind(
  tx: Tx,
  tenantId: string,
  { transactionIds, holdIds }: { transactionIds: readonly string[]; holdIds: readonly string[] },
): Promise<TransferRow[]> {
  if (transactionIds.length + holdIds.length === 0) return []
  return (await selectBehind(tx, tenantId, transactionIds, holdIds)).rows
}

const selectBehind = statement<TransferRow>(`
  select * from banking.transfers where tenant_id = $1 and transaction_id = any($2::uuid[])
  union all
  select * from banking.transfers where tenant_id = $1 and hold_id = any($3::uuid[])`)

/** Writes the end of a pending transfer; its row must be locked. */
export async function updateTransfers(
  tx: Tx,
  tenantId: string,
  rows: readonly TransferRow[],
): Promise<void> {
  if (rows.length === 0) return
  const written = await writeTransfers(
    tx,
    tenantId,
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.state),
    rows.map((row) => row.cancelled_at),
  )
  expectCount('transfers', written, rows.length)
}

const writeTransfers = statement(`
  update banking.transfers as t
  set version = u.version, event_sequence = u.event_sequence, state = u.state,
      cancelled_at = u.cancelled_at
  from unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::timestamptz[])
    as u (id, version, event_sequence, state, cancelled_at)
  where t.tenant_id = $1 and t.id = u.id and t.version = u.version - 1`)
