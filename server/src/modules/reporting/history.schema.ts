import { type Static, type TSchema, Type } from 'typebox'
import { idPattern, publicId } from '../../platform/ids.ts'
import {
  Amount,
  CurrencyCode,
  SignedAmount,
  TotalAmount,
  toJsonAmount,
} from '../../platform/money.ts'
import { listOf } from '../../platform/page.ts'
import {
  type DetailedRow,
  type HistoryEntry,
  descriptionOf,
  referenceOf,
  statusOf,
} from './history-row.ts'

const closed = { additionalProperties: false } as const
const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

export function Id(prefix: string) {
  return Type.String({ pattern: idPattern(prefix), maxLength: prefix.length + 27 })
}

const Text = Type.String({ maxLength: 1_000 })
const Metadata = Type.Record(
  Type.String({ pattern: '^.{1,40}$' }),
  Type.String({ maxLength: 500 }),
  { maxProperties: 50 },
)

const Entry = Type.Object(
  {
    account_id: Id('acc'),
    direction: Type.Union([Type.Literal('debit'), Type.Literal('credit')]),
    amount: Type.Integer({ ...Amount, maximum: Number.MAX_SAFE_INTEGER }),
    currency: CurrencyCode,
    balance_after: Type.Integer({
      ...SignedAmount,
      description: 'Posted balance of the account after this entry, seen from its normal side.',
    }),
  },
  closed,
)

export const transactionStatuses = ['posted', 'reversed'] as const

export const Transaction = Type.Object(
  {
    id: Id('txn'),
    object: Type.Literal('transaction'),
    type: Text,
    status: Type.String({
      maxLength: 32,
      'x-open-enum': transactionStatuses,
      description: '`reversed` once another transaction has taken it back whole.',
    }),
    booked_at: Type.String({
      format: 'date-time',
      maxLength: 30,
      description: 'When it was written, with microseconds.',
    }),
    effective_on: Type.String({
      format: 'date',
      maxLength: 10,
      description: 'The business day, in the time zone of the books.',
    }),
    amount: Type.Integer({
      ...TotalAmount,
      description: 'What is debited in `currency`, in minor units.',
    }),
    currency: CurrencyCode,
    description: Nullable(
      Type.String({ maxLength: 1_000, description: 'Its own, or else that of its payment.' }),
    ),
    reference: Nullable(
      Type.String({
        maxLength: 1_000,
        description: 'Its `external_id`, or else that of its payment.',
      }),
    ),
    payment_id: Nullable(Id('pay')),
    payment_status: Nullable(Text),
    debit_account_id: Nullable(
      Type.String({ ...Id('acc'), description: 'When it has exactly two entries.' }),
    ),
    credit_account_id: Nullable(
      Type.String({ ...Id('acc'), description: 'When it has exactly two entries.' }),
    ),
    reverses_transaction_id: Nullable(Id('txn')),
    reversed_by_transaction_id: Nullable(Id('txn')),
    metadata: Metadata,
    entries: Type.Array(Entry, { maxItems: 100 }),
  },
  { title: 'Transaction' },
)
export type Transaction = Static<typeof Transaction>

export const TransactionList = listOf(Transaction)

/** The public JSON of a transaction: the only place where a row becomes one. */
export function toTransaction(row: DetailedRow): Transaction {
  const { payment, entries } = row
  return {
    id: publicId('txn', row.transaction_id),
    object: 'transaction',
    type: row.type,
    status: statusOf(row),
    booked_at: row.booked_at,
    effective_on: row.effective_on,
    amount: toJsonAmount(row.amount),
    currency: row.currency,
    description: descriptionOf(row),
    reference: referenceOf(row),
    payment_id: payment === undefined ? null : publicId('pay', payment.payment_id),
    payment_status: payment?.status ?? null,
    debit_account_id: idOrNull('acc', onlyAccount(entries, 'debit')),
    credit_account_id: idOrNull('acc', onlyAccount(entries, 'credit')),
    reverses_transaction_id: idOrNull('txn', row.reverses_transaction_id),
    reversed_by_transaction_id: idOrNull('txn', row.reversed_by_transaction_id),
    metadata: row.metadata,
    entries: inOrder(entries).map(toEntry),
  }
}

/** The account of one side, when there are just two sides. */
function onlyAccount(
  entries: readonly HistoryEntry[],
  direction: 'debit' | 'credit',
): string | null {
  if (entries.length !== 2) return null
  return entries.find((entry) => directionOf(entry) === direction)?.account_id ?? null
}

function toEntry(entry: HistoryEntry) {
  const { amount } = entry
  return {
    account_id: publicId('acc', entry.account_id),
    direction: directionOf(entry),
    amount: toJsonAmount(amount > 0n ? amount : -amount),
    currency: entry.currency,
    balance_after: toJsonAmount(entry.balance_after),
  }
}

function directionOf({ amount }: HistoryEntry): 'debit' | 'credit' {
  return amount > 0n ? 'debit' : 'credit'
}

// Debits first, then by account: every answer about one transaction reads the same.
function inOrder(entries: readonly HistoryEntry[]): HistoryEntry[] {
  return entries.toSorted((one, other) => {
    if (one.amount > 0n !== other.amount > 0n) return one.amount > 0n ? -1 : 1
    if (one.account_id !== other.account_id) return one.account_id < other.account_id ? -1 : 1
    return one.seq < other.seq ? -1 : 1
  })
}

function idOrNull<Prefix extends string>(prefix: Prefix, uuid: string | null) {
  return uuid === null ? null : publicId(prefix, uuid)
}
