import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Text } from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { CurrencyCode, SignedAmount, toJsonAmount } from '../../platform/money.ts'
import type { AttemptRow } from './attempt.queries.ts'
import { FailureField } from './failure.schema.ts'

export const Attempt = Type.Object(
  {
    id: Id('att'),
    object: Type.Literal('attempt'),
    payment_id: Id('pay'),
    operation: Text,
    status: Text,
    gateway_id: Text,
    gateway_reference: Nullable(Text),
    amount: SignedAmount,
    currency: CurrencyCode,
    failure: FailureField,
    sends: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    inquiry_count: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    sent_at: Nullable(Instant),
    answered_at: Nullable(Instant),
    next_inquiry_at: Nullable(Instant),
    created_at: Instant,
  },
  { title: 'Attempt' },
)
export type Attempt = Static<typeof Attempt>

export function toAttempt(row: AttemptRow): Attempt {
  return {
    id: publicId('att', row.id),
    object: 'attempt',
    payment_id: publicId('pay', row.payment_id),
    operation: row.operation,
    status: row.status,
    gateway_id: row.gateway_id,
    gateway_reference: row.gateway_reference,
    amount: toJsonAmount(row.amount),
    currency: row.currency,
    failure: row.failure,
    sends: row.sends,
    inquiry_count: row.inquiry_count,
    sent_at: row.sent_at?.toISOString() ?? null,
    answered_at: row.answered_at?.toISOString() ?? null,
    next_inquiry_at: row.due_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  }
}
