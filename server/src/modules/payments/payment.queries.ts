import type { Selectable } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { Failure } from './connectors/failure-codes.ts'
import type { PaymentState } from './payment.states.ts'

type Tx = TxOf<'payments'>

/** How a payment is paid, as it is kept and shown: never a card number, never a CVC. */
export type PaymentMethod =
  | {
      readonly type: 'card'
      readonly card: { readonly token: string; readonly brand: string; readonly last4: string }
    }
  | { readonly type: 'book' }

export type PaymentRow = Omit<
  Selectable<DB['payments.payments']>,
  | 'state'
  | 'status'
  | 'payment_method'
  | 'failure'
  | 'metadata'
  | 'due_at'
  | 'lease_until'
  | 'lease_no'
  | 'claims'
> & {
  state: PaymentState
  payment_method: PaymentMethod
  failure: Failure | null
  metadata: Record<string, string>
}

export async function findPayment(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<PaymentRow | undefined> {
  const row = await tx
    .selectFrom('payments.payments')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row as PaymentRow | undefined
}

/** Locks payments in order of tenant and id. */
export async function lockPayments(
  tx: Tx,
  pairs: readonly { tenantId: string; id: string }[],
): Promise<Map<string, PaymentRow>> {
  if (pairs.length === 0) return new Map()
  const sorted = [...new Set(pairs.map(({ tenantId, id }) => `${tenantId} ${id}`))].toSorted()
  const { rows } = await selectForUpdate(
    tx,
    sorted.map((name) => name.slice(0, 36)),
    sorted.map((name) => name.slice(37)),
  )
  return new Map(rows.map((row) => [row.id, row]))
}

const selectForUpdate = statement<PaymentRow>(`
  select p.* from unnest($1::uuid[], $2::uuid[]) with ordinality as u (tenant_id, id, o)
  cross join lateral (
    select * from payments.payments p where p.tenant_id = u.tenant_id and p.id = u.id for update
  ) p`)

export interface TakenId {
  readonly tenant_id: string
  readonly external_id: string
  readonly id: string
}

export async function findPaymentsByExternalId(
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
  select p.tenant_id, p.external_id, p.id
  from unnest($1::uuid[], $2::text[]) as u (tenant_id, external_id)
  cross join lateral (
    select * from payments.payments p
    where p.tenant_id = u.tenant_id and p.external_id = u.external_id
  ) p`)

export function insertPayments(tx: Tx, rows: readonly PaymentRow[]): void {
  if (rows.length === 0) return
  insertRows.send(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.state),
    rows.map((row) => row.payment_method.type),
    rows.map((row) => row.direction),
    rows.map((row) => row.amount),
    rows.map((row) => row.currency),
    rows.map((row) => row.amount_captured),
    rows.map((row) => row.capture_method),
    rows.map((row) => row.payment_method),
    rows.map((row) => row.recipient_account_id),
    rows.map((row) => row.source_account_id),
    rows.map((row) => row.gateway_id),
    rows.map((row) => row.description),
    rows.map((row) => row.statement_descriptor),
    rows.map((row) => row.external_id),
    rows.map((row) => row.metadata),
    rows.map((row) => row.ledger_transaction_ids[0] ?? null),
    rows.map((row) => row.latest_attempt_id),
    rows.map((row) => row.created_by),
    rows.map((row) => row.created_at),
    rows.map((row) => row.completed_at),
  )
}

const insertRows = statement(`
  insert into payments.payments
    (tenant_id, id, version, event_sequence, state, payment_type, direction, amount, currency,
     amount_authorized, amount_captured, capture_method, payment_method, recipient_account_id,
     source_account_id, gateway_id, description, statement_descriptor, external_id, metadata,
     ledger_transaction_ids, attempt_count, latest_attempt_id, charge_attempt_id, created_by,
     created_at, updated_at, completed_at)
  select u.tenant_id, u.id, 1, u.event_sequence, u.state, u.payment_type, u.direction, u.amount,
         u.currency, u.captured, u.captured, u.capture_method, u.payment_method, u.recipient_account_id,
         u.source_account_id, u.gateway_id, u.description, u.statement_descriptor, u.external_id,
         u.metadata,
         case when u.ledger_transaction_id is null then '{}' else array[u.ledger_transaction_id] end,
         case when u.attempt_id is null then 0 else 1 end, u.attempt_id, u.attempt_id, u.created_by,
         u.created_at, u.created_at, u.completed_at
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[],
              $8::text[], $9::bigint[], $10::text[], $11::jsonb[], $12::uuid[], $13::uuid[],
              $14::text[], $15::text[], $16::text[], $17::text[], $18::jsonb[], $19::uuid[],
              $20::uuid[], $21::text[], $22::timestamptz[], $23::timestamptz[])
    as u (tenant_id, id, event_sequence, state, payment_type, direction, amount, currency, captured,
          capture_method, payment_method, recipient_account_id, source_account_id, gateway_id,
          description, statement_descriptor, external_id, metadata, ledger_transaction_id, attempt_id,
          created_by, created_at, completed_at)`)

/** Writes payments that were locked and changed in memory. */
export async function updatePayments(tx: Tx, rows: readonly PaymentRow[]): Promise<void> {
  if (rows.length === 0) return
  const result = await updateRows(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.state),
    rows.map((row) => row.amount_authorized),
    rows.map((row) => row.amount_captured),
    rows.map((row) => row.capture_reserved),
    rows.map((row) => row.amount_refunded),
    rows.map((row) => row.refund_reserved),
    rows.map((row) => row.capture_closing),
    rows.map((row) => row.failure),
    rows.map((row) => row.review_reason),
    rows.map((row) => row.cancellation_reason),
    rows.map((row) => row.authorization_expires_at),
    rows.map((row) => `{${row.ledger_transaction_ids.join(',')}}`),
    rows.map((row) => row.attempt_count),
    rows.map((row) => row.latest_attempt_id),
    rows.map((row) => row.updated_at),
    rows.map((row) => row.completed_at),
  )
  expectCount('payments', result, rows.length)
}

// An authorization is due when it lapses; `due_at` follows it.
const updateRows = statement(`
  update payments.payments p
  set version = u.version, event_sequence = u.event_sequence, state = u.state,
      amount_authorized = u.amount_authorized, amount_captured = u.amount_captured,
      capture_reserved = u.capture_reserved, amount_refunded = u.amount_refunded,
      refund_reserved = u.refund_reserved, capture_closing = u.capture_closing, failure = u.failure,
      review_reason = u.review_reason, cancellation_reason = u.cancellation_reason,
      authorization_expires_at = u.authorization_expires_at,
      due_at = case when u.state = 'authorized' then u.authorization_expires_at end,
      ledger_transaction_ids = u.ledger_transaction_ids::uuid[], attempt_count = u.attempt_count,
      latest_attempt_id = u.latest_attempt_id, updated_at = u.updated_at,
      completed_at = u.completed_at
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::bigint[], $10::bigint[], $11::bool[], $12::jsonb[], $13::text[],
              $14::text[], $15::timestamptz[], $16::text[], $17::int[], $18::uuid[],
              $19::timestamptz[], $20::timestamptz[])
    as u (tenant_id, id, version, event_sequence, state, amount_authorized, amount_captured,
          capture_reserved, amount_refunded, refund_reserved, capture_closing, failure, review_reason,
          cancellation_reason, authorization_expires_at, ledger_transaction_ids, attempt_count,
          latest_attempt_id, updated_at, completed_at)
  where p.tenant_id = u.tenant_id and p.id = u.id and p.version = u.version - 1`)
