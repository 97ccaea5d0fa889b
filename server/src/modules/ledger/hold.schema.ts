import { type Static, Type } from 'typebox'
import {
  Description,
  Id,
  Metadata,
  Nullable,
  Text,
  Version,
  closed,
} from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { CurrencyCode, TotalAmount, toJsonAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import { restOf } from './decide-hold.ts'
import { CorrelationId, Day, EntryAmount, Instant, createdRange } from './ledger.schema.ts'
import type { HoldState } from './posting.ts'
import { EntryInput, Transaction, TransactionType } from './transaction.schema.ts'

const Status = Type.Union([
  Type.Literal('pending'),
  Type.Literal('posted'),
  Type.Literal('voided'),
  Type.Literal('expired'),
])

export const CreateHoldBody = Type.Object(
  {
    debit_account_id: Id('acc'),
    credit_account_id: Id('acc'),
    amount: EntryAmount,
    currency: CurrencyCode,
    expires_at: Type.Optional(Instant),
    correlation_id: Type.Optional(CorrelationId),
    description: Type.Optional(Description),
    metadata: Type.Optional(Metadata),
  },
  closed,
)
export type CreateHoldBody = Static<typeof CreateHoldBody>

export const PostHoldBody = Type.Object(
  {
    amount: Type.Optional(EntryAmount),
    final: Type.Optional(
      Type.Boolean({ description: 'Default true: what is left beyond the amount is released.' }),
    ),
    type: Type.Optional(TransactionType),
    entries: Type.Optional(
      Type.Array(EntryInput, {
        maxItems: 200,
        description:
          'Default: the two accounts of the hold. Yours must take the amount from the held one.',
      }),
    ),
    effective_on: Type.Optional(Day),
    description: Type.Optional(Description),
    metadata: Type.Optional(Metadata),
  },
  closed,
)
export type PostHoldBody = Static<typeof PostHoldBody>

export const IncreaseHoldBody = Type.Object({ amount: EntryAmount }, closed)

const hold = {
  id: Id('hld'),
  object: Type.Literal('ledger_hold'),
  status: Status,
  debit_account_id: Id('acc'),
  credit_account_id: Id('acc'),
  currency: CurrencyCode,
  amount: TotalAmount,
  posted_amount: TotalAmount,
  released_amount: TotalAmount,
  remaining_amount: TotalAmount,
  expires_at: Nullable(Instant),
  correlation_id: Nullable(Text),
  description: Nullable(Text),
  metadata: Metadata,
  created_at: Instant,
  version: Version,
}
export const Hold = Type.Object(hold, { title: 'LedgerHold' })
export type Hold = Static<typeof Hold>
export const PostedHold = Type.Object(
  { ...hold, transaction: Transaction },
  { title: 'PostedLedgerHold' },
)

export const ListHoldsQuery = Type.Object(
  {
    ...pageParameters,
    ...createdRange,
    status: Type.Optional(Status),
    account_id: Type.Optional(Id('acc')),
    correlation_id: Type.Optional(CorrelationId),
  },
  closed,
)
export const HoldList = listOf(Hold)

/** The public JSON of a hold: the only place where one is shaped. */
export function toHold(state: HoldState): Hold {
  return {
    id: publicId('hld', state.holdId),
    object: 'ledger_hold',
    status: state.status,
    debit_account_id: publicId('acc', state.debitAccountId),
    credit_account_id: publicId('acc', state.creditAccountId),
    currency: state.currency,
    amount: toJsonAmount(state.amount),
    posted_amount: toJsonAmount(state.postedAmount),
    released_amount: toJsonAmount(state.releasedAmount),
    remaining_amount: toJsonAmount(restOf(state)),
    expires_at: state.expiresAt?.toISOString() ?? null,
    correlation_id: state.correlationId,
    description: state.description,
    metadata: state.metadata,
    created_at: state.createdAt.toISOString(),
    version: state.version,
  }
}
