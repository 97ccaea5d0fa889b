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
import {
  Amount,
  CurrencyCode,
  PayableCurrency,
  SignedAmount,
  toJsonAmount,
} from '../../platform/money.ts'
import { FailureField } from './failure.schema.ts'
import type { PaymentRow } from './payment.queries.ts'
import { paymentStatuses, statusGroupOf, statusOf } from './payment.states.ts'

const AccountRef = Type.Object({ type: Type.Literal('account'), account_id: Id('acc') }, closed)

const CardInput = Type.Object(
  {
    token: Type.Optional(
      Type.String({
        pattern: '^tok_[a-z0-9_]{1,60}$',
        maxLength: 64,
        description: 'A token of the gateway.',
      }),
    ),
    number: Type.Optional(
      Type.String({
        pattern: '^[0-9]{12,19}$',
        maxLength: 19,
        description: 'Sandbox only, a listed test card.',
      }),
    ),
    exp_month: Type.Optional(Type.Integer({ minimum: 1, maximum: 12 })),
    exp_year: Type.Optional(Type.Integer({ minimum: 2000, maximum: 2100 })),
    cvc: Type.Optional(Type.String({ pattern: '^[0-9]{3,4}$', maxLength: 4 })),
  },
  closed,
)

export const CreatePaymentBody = Type.Object(
  {
    amount: Amount,
    currency: PayableCurrency,
    payment_method: Type.Object(
      {
        type: Type.Union([Type.Literal('card'), Type.Literal('book')]),
        card: Type.Optional(CardInput),
      },
      closed,
    ),
    recipient: Type.Optional(AccountRef),
    source: Type.Optional(Type.Object({ account_id: Id('acc') }, closed)),
    capture_method: Type.Optional(Type.Union([Type.Literal('automatic'), Type.Literal('manual')])),
    description: Type.Optional(Description),
    statement_descriptor: Type.Optional(Type.String({ minLength: 1, maxLength: 22 })),
    external_id: Type.Optional(ExternalId),
    metadata: Type.Optional(Metadata),
  },
  closed,
)
export type CreatePaymentBody = Static<typeof CreatePaymentBody>

export const CancelBody = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) },
  closed,
)

export const PaymentParams = Type.Object({ id: Id('pay') })
export const Payment = Type.Object(
  {
    id: Id('pay'),
    object: Type.Literal('payment'),
    status: Type.String({ maxLength: 32, 'x-open-enum': paymentStatuses }),
    status_group: Type.Union([
      Type.Literal('pending'),
      Type.Literal('completed'),
      Type.Literal('failed'),
    ]),
    direction: Type.Union([
      Type.Literal('inbound'),
      Type.Literal('outbound'),
      Type.Literal('internal'),
    ]),
    amount: SignedAmount,
    currency: CurrencyCode,
    amount_authorized: SignedAmount,
    amount_captured: SignedAmount,
    amount_capturable: SignedAmount,
    amount_refunded: SignedAmount,
    amount_refundable: SignedAmount,
    payment_method: Type.Object({
      type: Text,
      card: Type.Optional(Type.Object({ token: Text, brand: Text, last4: Text })),
    }),
    recipient: AccountRef,
    source: Nullable(Type.Object({ account_id: Id('acc') }, closed)),
    capture_method: Text,
    gateway_id: Nullable(Text),
    description: Nullable(Text),
    statement_descriptor: Nullable(Text),
    external_id: Nullable(Text),
    metadata: Metadata,
    failure: FailureField,
    review_reason: Nullable(Text),
    cancellation_reason: Nullable(Text),
    authorization_expires_at: Nullable(Instant),
    ledger_transaction_ids: Type.Array(Id('txn'), { maxItems: 10_000 }),
    attempt_count: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    latest_attempt: Nullable(Id('att')),
    created_by: Text,
    created_at: Instant,
    updated_at: Instant,
    completed_at: Nullable(Instant),
    version: Version,
  },
  { title: 'Payment' },
)
export type Payment = Static<typeof Payment>

/** The public JSON of a payment: the only place where a row becomes one. */
export function toPayment(row: PaymentRow): Payment {
  const status = statusOf(row)
  const capturable =
    row.state === 'authorized'
      ? row.amount_authorized - row.amount_captured - row.capture_reserved
      : 0n
  return {
    id: publicId('pay', row.id),
    object: 'payment',
    status,
    status_group: statusGroupOf(status),
    direction: row.direction as Payment['direction'],
    amount: toJsonAmount(row.amount),
    currency: row.currency,
    amount_authorized: toJsonAmount(row.amount_authorized),
    amount_captured: toJsonAmount(row.amount_captured),
    amount_capturable: toJsonAmount(capturable),
    amount_refunded: toJsonAmount(row.amount_refunded),
    amount_refundable: toJsonAmount(refundable(row)),
    payment_method: row.payment_method,
    recipient: { type: 'account', account_id: publicId('acc', row.recipient_account_id) },
    source:
      row.source_account_id === null
        ? null
        : { account_id: publicId('acc', row.source_account_id) },
    capture_method: row.capture_method,
    gateway_id: row.gateway_id,
    description: row.description,
    statement_descriptor: row.statement_descriptor,
    external_id: row.external_id,
    metadata: row.metadata,
    failure: row.failure,
    review_reason: row.review_reason,
    cancellation_reason: row.cancellation_reason,
    authorization_expires_at: row.authorization_expires_at?.toISOString() ?? null,
    ledger_transaction_ids: row.ledger_transaction_ids.map((id) => publicId('txn', id)),
    attempt_count: row.attempt_count,
    latest_attempt: row.latest_attempt_id === null ? null : publicId('att', row.latest_attempt_id),
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    version: row.version,
  }
}

/** What can still be refunded: captured, less what was refunded or is on its way. */
export function refundable(
  row: Pick<PaymentRow, 'amount_captured' | 'amount_refunded' | 'refund_reserved'>,
): bigint {
  return row.amount_captured - row.amount_refunded - row.refund_reserved
}
