import { type Static, Type } from 'typebox'
import { Id, Nullable, Text, closed } from '../../platform/fields.ts'
import { CurrencyCode, SignedAmount, toJsonAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import { publicId } from '../../platform/ids.ts'
import type { AccountEntryRow, BalanceAsOfRow } from './entry.queries.ts'
import { Count, Day, Direction, EntryAmount, Instant } from './ledger.schema.ts'
import { directionOf, fromNormalSide, instantOf } from './public-forms.ts'

export const Basis = Type.Union([Type.Literal('booked'), Type.Literal('effective')], {
  description:
    'booked (default): what we had written by an instant. effective: what counts at the end of a business day.',
})

/** Parameters of every question about the past. */
export const asOfParameters = {
  as_of: Type.Optional(
    Type.Union([Instant, Day], {
      description: 'An instant on the booked basis, a day on the effective one. Default: now.',
    }),
  ),
  basis: Type.Optional(Basis),
}

export const BalanceQuery = Type.Object(asOfParameters, closed)
export type BalanceQuery = Static<typeof BalanceQuery>

export const BalanceAsOf = Type.Object(
  {
    object: Type.Literal('ledger_balance'),
    account_id: Id('acc'),
    basis: Basis,
    as_of: Type.Union([Instant, Day]),
    currency: CurrencyCode,
    posted: SignedAmount,
    entries: Type.Integer({ ...Count, description: 'How many entries make it up.' }),
    final: Type.Boolean({
      description:
        'False while it may still change: within 30 seconds (booked), or until the day is closed (effective).',
    }),
  },
  { title: 'LedgerBalance' },
)
export type BalanceAsOf = Static<typeof BalanceAsOf>

export function toBalanceAsOf(
  row: BalanceAsOfRow,
  { accountId, basis, asOf }: { accountId: string; basis: BalanceAsOf['basis']; asOf: string },
): BalanceAsOf {
  return {
    object: 'ledger_balance',
    account_id: publicId('acc', accountId),
    basis,
    as_of: asOf,
    currency: row.currency,
    posted: toJsonAmount(fromNormalSide(row.net, row.normal_side)),
    entries: Number(row.entries),
    final: row.final,
  }
}

const AccountEntry = Type.Object(
  {
    object: Type.Literal('ledger_entry'),
    account_id: Id('acc'),
    transaction_id: Id('txn'),
    type: Text,
    description: Nullable(Text),
    correlation_id: Nullable(Text),
    seq: Count,
    direction: Direction,
    amount: EntryAmount,
    currency: CurrencyCode,
    balance_after: SignedAmount,
    effective_on: Day,
    booked_at: Instant,
  },
  { title: 'LedgerEntry' },
)
export type AccountEntry = Static<typeof AccountEntry>
export const EntryList = listOf(AccountEntry)

export const ListEntriesQuery = Type.Object(
  {
    ...pageParameters,
    'booked_at[gte]': Type.Optional(Instant),
    'booked_at[lt]': Type.Optional(Instant),
  },
  closed,
)

export function toAccountEntry(row: AccountEntryRow): AccountEntry {
  return {
    object: 'ledger_entry',
    account_id: publicId('acc', row.account_id),
    transaction_id: publicId('txn', row.transaction_id),
    type: row.type,
    description: row.description,
    correlation_id: row.correlation_id,
    seq: Number(row.seq),
    direction: directionOf(row.amount),
    amount: toJsonAmount(row.amount > 0n ? row.amount : -row.amount),
    currency: row.currency,
    balance_after: toJsonAmount(fromNormalSide(row.balance_after, row.normal_side)),
    effective_on: row.effective_on,
    booked_at: instantOf(row.booked_micros),
  }
}
