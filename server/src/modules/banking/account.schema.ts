import { type Static, Type } from 'typebox'
import { type AccountRow, type findBalanceNow, fromNormalSide } from '../ledger/index.ts'
import { Id, Instant, Text, Version, closed } from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { CurrencyCode, SignedAmount, TotalAmount, toJsonAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import { numberOf } from './assign-holders.ts'
import type { AccountFacts } from './holder.queries.ts'

const OPERATING = /^operating:/ // the bank's own accounts are found by this key

export const BankAccount = Type.Object(
  {
    id: Id('acc'),
    object: Type.Literal('account'),
    name: Text,
    currency: CurrencyCode,
    type: Type.Union([Type.Literal('current'), Type.Literal('savings'), Type.Literal('operating')]),
    status: Type.Union([Type.Literal('open'), Type.Literal('frozen'), Type.Literal('closed')]),
    number_masked: Type.String({ maxLength: 40, description: 'The end of the account number.' }),
    opened_at: Instant,
  },
  { title: 'Account' },
)
export type BankAccount = Static<typeof BankAccount>
export const BankAccountList = listOf(BankAccount)
export const ListBankAccountsQuery = Type.Object(pageParameters, closed)
export const BankAccountParams = Type.Object({ id: Id('acc') }, closed)

/** The public JSON of an account; `facts` are missing where nobody was assigned to it. */
export function toBankAccount(row: AccountRow, facts: AccountFacts | undefined): BankAccount {
  const operating = row.key !== null && OPERATING.test(row.key)
  return {
    id: publicId('acc', row.account_id),
    object: 'account',
    name: row.name,
    currency: row.currency,
    type: facts?.type ?? (operating ? 'operating' : 'current'),
    status: row.status === 'open' && row.blocked !== 'none' ? 'frozen' : row.status,
    number_masked: masked(facts?.number ?? numberOf(row.account_id)),
    opened_at: row.created_at.toISOString(),
  }
}

/** `DE89…3000` is `··3000`: enough to tell one's own accounts apart, too little to pay to. */
export function masked(number: string): string {
  return `··${number.slice(-4)}`
}

const Kind = Type.Object({
  type: Type.Union([Type.Literal('available'), Type.Literal('booked')]),
  iso_code: Type.String({ maxLength: 4, description: 'ITAV or ITBD, of ISO 20022.' }),
  amount: SignedAmount,
})

const shared = { object: Type.Literal('balance'), account_id: Id('acc'), currency: CurrencyCode }

const CurrentBalance = Type.Object(
  {
    ...shared,
    booked: SignedAmount,
    pending_in: TotalAmount,
    pending_out: TotalAmount,
    available: Type.Integer({
      ...SignedAmount,
      description: 'What can be paid out now: booked, less pending_out, plus credit_limit.',
    }),
    credit_limit: Type.Integer({
      ...SignedAmount,
      description: 'Granted overdraft; negative where a minimum must stay on the account.',
    }),
    balances: Type.Array(Kind, { maxItems: 2 }),
    as_of: Instant,
    version: Type.Integer({ ...Version, minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { title: 'Balance' },
)

const PastBalance = Type.Object(
  {
    ...shared,
    booked: SignedAmount,
    pending_in: Type.Null(),
    pending_out: Type.Null(),
    available: Type.Null(),
    credit_limit: Type.Null(),
    balances: Type.Array(Kind, { maxItems: 1 }),
    as_of: Instant,
    final: Type.Boolean({ description: 'False while something may still be booked before it.' }),
  },
  { title: 'PastBalance' },
)

export const Balance = Type.Union([CurrentBalance, PastBalance])
export type Balance = Static<typeof Balance>

export const BalanceQuery = Type.Object(
  {
    account_id: Type.Optional(
      Type.String({
        ...Id('acc'),
        description: 'May be left out where only one account can be seen.',
      }),
    ),
    as_of: Type.Optional(
      Type.String({
        ...Instant,
        maxLength: 35,
        description: 'An instant in the past: what was booked by then. Default: now.',
      }),
    ),
  },
  closed,
)

type BalanceRow = NonNullable<Awaited<ReturnType<typeof findBalanceNow>>>

export function toBalance(row: BalanceRow, accountId: string): Static<typeof CurrentBalance> {
  const booked = fromNormalSide(row.debits_posted - row.credits_posted, row.normal_side)
  const isDebit = row.normal_side === 'debit'
  const out = isDebit ? row.credits_pending : row.debits_pending
  const credit = row.min_available === null ? 0n : -row.min_available
  const available = toJsonAmount(booked - out + credit)
  return {
    object: 'balance',
    account_id: publicId('acc', accountId),
    currency: row.currency,
    booked: toJsonAmount(booked),
    pending_in: toJsonAmount(isDebit ? row.debits_pending : row.credits_pending),
    pending_out: toJsonAmount(out),
    available,
    credit_limit: toJsonAmount(credit),
    balances: [
      { type: 'available', iso_code: 'ITAV', amount: available },
      { type: 'booked', iso_code: 'ITBD', amount: toJsonAmount(booked) },
    ],
    as_of: row.read_at.toISOString(),
    version: Number(row.last_seq),
  }
}

/** Changes whenever a figure of the balance does; holds and limits move without a booking. */
export function versionOfBalance(row: BalanceRow): string {
  const { last_seq: seq, debits_pending: out, credits_pending: incoming } = row
  return [seq, out, incoming, row.min_available ?? 'x'].join('.')
}

export function toPastBalance(
  row: {
    readonly currency: string
    readonly net: bigint
    readonly normal_side: 'debit' | 'credit'
    readonly final: boolean
  },
  { accountId, asOf }: { accountId: string; asOf: string },
): Static<typeof PastBalance> {
  const booked = toJsonAmount(fromNormalSide(row.net, row.normal_side))
  return {
    object: 'balance',
    account_id: publicId('acc', accountId),
    currency: row.currency,
    booked,
    pending_in: null,
    pending_out: null,
    available: null,
    credit_limit: null,
    balances: [{ type: 'booked', iso_code: 'ITBD', amount: booked }],
    as_of: asOf,
    final: row.final,
  }
}
