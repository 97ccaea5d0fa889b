import { type Static, Type } from 'typebox'
import {
  Description,
  ExternalId,
  Id,
  Metadata,
  Nullable,
  Text,
  closed,
} from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { CurrencyCode, SignedAmount, toJsonAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import {
  CorrelationId,
  Count,
  Day,
  Direction,
  EntryAmount,
  Instant,
  createdRange,
} from './ledger.schema.ts'
import type { BookedEntry, Transaction as Booked } from './posting.ts'
import { directionOf, fromNormalSide, instantOf } from './public-forms.ts'

const MAX_ENTRIES = 200 // more than the poster books, so that its own refusal is the one that is heard

export const TransactionType = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,62}$',
  maxLength: 63,
  description: 'What happened, in your words.',
  examples: ['book_transfer'],
})

export const EntryInput = Type.Object(
  {
    account_id: Id('acc'),
    direction: Direction,
    amount: EntryAmount,
    currency: Type.String({
      ...CurrencyCode,
      description: 'Must be that of the account.',
    }),
    expected_version: Type.Optional(
      Type.Integer({ ...Count, description: '`last_seq` of the account that you decided upon.' }),
    ),
  },
  closed,
)

export const PostTransactionBody = Type.Object(
  {
    type: TransactionType,
    entries: Type.Array(EntryInput, { maxItems: MAX_ENTRIES }),
    effective_on: Type.Optional(Day),
    if_closed: Type.Optional(
      Type.Union([Type.Literal('refuse'), Type.Literal('next_open')], {
        description: 'Into a closed day: refuse (default), or book on the first open day.',
      }),
    ),
    external_id: Type.Optional(ExternalId),
    correlation_id: Type.Optional(CorrelationId),
    corrects_transaction_id: Type.Optional(Id('txn')),
    description: Type.Optional(Description),
    metadata: Type.Optional(Metadata),
  },
  closed,
)
export type PostTransactionBody = Static<typeof PostTransactionBody>

export const ReverseBody = Type.Object(
  {
    effective_on: Type.Optional(
      Type.Literal('original', {
        description: 'On the day of the transaction, if it is open. Default: today.',
      }),
    ),
    description: Type.Optional(Description),
    metadata: Type.Optional(Metadata),
  },
  closed,
)

const MAX_BATCH = 1_000

export const PostBatchBody = Type.Object(
  {
    transactions: Type.Array(PostTransactionBody, { minItems: 1, maxItems: MAX_BATCH }),
    atomic: Type.Optional(
      Type.Boolean({
        description:
          'All or none; at most 500 transactions and 2,000 entries. Default: each alone.',
      }),
    ),
  },
  closed,
)
export type PostBatchBody = Static<typeof PostBatchBody>

const Entry = Type.Object({
  account_id: Id('acc'),
  direction: Direction,
  amount: EntryAmount,
  currency: CurrencyCode,
  seq: Type.Integer({ ...Count, description: "The account's own count of its entries." }),
  balance_after: Type.Integer({
    ...SignedAmount,
    description: 'Posted balance of the account after this entry.',
  }),
})

export const Transaction = Type.Object(
  {
    id: Id('txn'),
    object: Type.Literal('ledger_transaction'),
    type: Text,
    amount: SignedAmount,
    currency: CurrencyCode,
    effective_on: Day,
    booked_at: Instant,
    description: Nullable(Text),
    external_id: Nullable(Text),
    correlation_id: Nullable(Text),
    hold_id: Nullable(Id('hld')),
    reverses_transaction_id: Nullable(Id('txn')),
    corrects_transaction_id: Nullable(Id('txn')),
    metadata: Metadata,
    entries: Type.Array(Entry, { maxItems: 100 }),
  },
  { title: 'LedgerTransaction' },
)
export type Transaction = Static<typeof Transaction>

export const ListTransactionsQuery = Type.Object(
  {
    ...pageParameters,
    ...createdRange,
    type: Type.Optional(TransactionType),
    account_id: Type.Optional(Id('acc')),
    external_id: Type.Optional(ExternalId),
    correlation_id: Type.Optional(CorrelationId),
  },
  closed,
)
export const TransactionList = listOf(Transaction)

const Refusal = Type.Object({
  code: Text,
  title: Text,
  status: Type.Integer({ minimum: 400, maximum: 499 }),
})
export const Batch = Type.Object(
  {
    object: Type.Literal('ledger_transaction_batch'),
    atomic: Type.Boolean(),
    booked: Count,
    refused: Count,
    results: Type.Array(
      Type.Union([
        Type.Object({ status: Type.Literal('booked'), transaction_id: Id('txn') }),
        Type.Object({ status: Type.Literal('refused'), error: Refusal }),
      ]),
      { maxItems: MAX_BATCH, description: 'In the order asked.' },
    ),
  },
  { title: 'LedgerTransactionBatch' },
)
export type Batch = Static<typeof Batch>

/** The public JSON of a transaction: the only place where one is shaped. */
export function toTransaction(transaction: Booked): Transaction {
  return {
    id: publicId('txn', transaction.transactionId),
    object: 'ledger_transaction',
    type: transaction.type,
    amount: toJsonAmount(transaction.amount),
    currency: transaction.currency,
    effective_on: transaction.effectiveOn,
    booked_at: instantOf(transaction.bookedMicros),
    description: transaction.description,
    external_id: transaction.externalId,
    correlation_id: transaction.correlationId,
    hold_id: idOrNull('hld', transaction.holdId),
    reverses_transaction_id: idOrNull('txn', transaction.reverses),
    corrects_transaction_id: idOrNull('txn', transaction.corrects),
    metadata: transaction.metadata,
    entries: inOrder(transaction.entries).map(toEntry),
  }
}

function toEntry({ accountId, currency, amount, seq, balanceAfter, normalSide }: BookedEntry) {
  return {
    account_id: publicId('acc', accountId),
    direction: directionOf(amount),
    amount: toJsonAmount(amount > 0n ? amount : -amount),
    currency,
    seq: Number(seq),
    balance_after: toJsonAmount(fromNormalSide(balanceAfter, normalSide)),
  }
}

// Debits first, then by account: rows do not keep the order they were asked in, and every answer
// about one transaction must read the same.
function inOrder(entries: readonly BookedEntry[]): BookedEntry[] {
  return entries.toSorted((one, other) => {
    if (one.amount > 0n !== other.amount > 0n) return one.amount > 0n ? -1 : 1
    if (one.accountId !== other.accountId) return one.accountId < other.accountId ? -1 : 1
    return one.seq < other.seq ? -1 : 1
  })
}

function idOrNull<Prefix extends string>(prefix: Prefix, uuid: string | null) {
  return uuid === null ? null : publicId(prefix, uuid)
}
