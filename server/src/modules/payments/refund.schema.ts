import { type Static, Type } from 'typebox'
import {
  Description,
  ExternalId,
  Id,
  Instant,
  Metadata,
  Nullable,
  Text,
  Version,
  closed,
} from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { Amount, CurrencyCode, SignedAmount, toJsonAmount } from '../../platform/money.ts'
import { FailureField } from './failure.schema.ts'
import { refundStates } from './payment.states.ts'
import type { RefundRow } from './refund.queries.ts'

const RefundReason = Type.Union([
  Type.Literal('requested_by_customer'),
  Type.Literal('duplicate'),
  Type.Literal('fraudulent'),
  Type.Literal('other'),
])
export const CreateRefundBody = Type.Object(
  {
    amount: Type.Optional(Amount),
    reason: Type.Optional(RefundReason),
    description: Type.Optional(Description),
    external_id: Type.Optional(ExternalId),
    metadata: Type.Optional(Metadata),
  },
  closed,
)

export const RefundParams = Type.Object({ id: Id('ref') })

export const Refund = Type.Object(
  {
    id: Id('ref'),
    object: Type.Literal('refund'),
    payment_id: Id('pay'),
    status: Type.String({
      maxLength: 32,
      'x-open-enum': refundStates.states,
    }),
    amount: SignedAmount,
    currency: CurrencyCode,
    reason: Text,
    description: Nullable(Text),
    external_id: Nullable(Text),
    metadata: Metadata,
    failure: FailureField,
    ledger_transaction_ids: Type.Array(Id('txn'), { maxItems: 100 }),
    created_by: Text,
    created_at: Instant,
    updated_at: Instant,
    completed_at: Nullable(Instant),
    version: Version,
  },
  { title: 'Refund' },
)
export type Refund = Static<typeof Refund>

export function toRefund(row: RefundRow): Refund {
  return {
    id: publicId('ref', row.id),
    object: 'refund',
    payment_id: publicId('pay', row.payment_id),
    status: row.status,
    amount: toJsonAmount(row.amount),
    currency: row.currency,
    reason: row.reason,
    description: row.description,
    external_id: row.external_id,
    metadata: row.metadata,
    failure: row.failure,
    ledger_transaction_ids: row.ledger_transaction_ids.map((id) => publicId('txn', id)),
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    version: row.version,
  }
}
