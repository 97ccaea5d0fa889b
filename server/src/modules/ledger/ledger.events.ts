import { Type } from 'typebox'
import { type EmittedEvent, event } from '../../platform/events/events.ts'
import { publicId } from '../../platform/ids.ts'
import { toJsonAmount } from '../../platform/money.ts'
import type { BookedTransaction, HoldState } from './posting.ts'

// An event holds 8 KiB; a transaction of 100 entries would need more.
const MAX_ENTRIES = 80

const Entry = Type.Object({
  account_id: Type.String(),
  amount: Type.Integer({ description: 'Minor units; debit > 0, credit < 0.' }),
  currency: Type.String(),
})

export const transactionPosted = event(
  'ledger.transaction.posted',
  'ledger_transaction',
  'A transaction was booked.',
  {
    transaction_id: Type.String(),
    type: Type.String(),
    correlation_id: Type.Union([Type.String(), Type.Null()]),
    effective_on: Type.String(),
    entry_count: Type.Integer(),
    entries: Type.Array(Entry, {
      description: `At most ${MAX_ENTRIES}; entry_count counts them all.`,
    }),
  },
)

const account = {
  account_id: Type.String(),
  status: Type.String(),
  version: Type.Integer(),
}
export const accountCreated = event(
  'ledger.account.created',
  'ledger_account',
  'An account was opened.',
  account,
)
export const accountUpdated = event(
  'ledger.account.updated',
  'ledger_account',
  'Name, limits, block or metadata of an account changed.',
  account,
)
export const accountClosed = event(
  'ledger.account.closed',
  'ledger_account',
  'An account was closed.',
  account,
)

const hold = {
  hold_id: Type.String(),
  status: Type.String(),
  amount: Type.Integer(),
  posted_amount: Type.Integer(),
  released_amount: Type.Integer(),
  currency: Type.String(),
}
export const holdCreated = event('ledger.hold.created', 'hold', 'An amount was set aside.', hold)
export const holdIncreased = event('ledger.hold.increased', 'hold', 'A hold was raised.', hold)
export const holdPosted = event(
  'ledger.hold.posted',
  'hold',
  'A hold was booked, in part or whole.',
  hold,
)
export const holdVoided = event('ledger.hold.voided', 'hold', 'A hold was given up.', hold)
export const holdExpired = event('ledger.hold.expired', 'hold', 'A hold ran out.', hold)

export const ledgerEvents = [
  accountCreated,
  accountUpdated,
  accountClosed,
  transactionPosted,
  holdCreated,
  holdIncreased,
  holdPosted,
  holdVoided,
  holdExpired,
]

export function postedEvent(transaction: BookedTransaction): EmittedEvent {
  const { tenantId, transactionId, type, correlationId, effectiveOn, requestId, at } = transaction
  return transactionPosted({
    tenantId,
    objectId: transactionId,
    sequence: 1,
    at,
    requestId,
    data: {
      transaction_id: publicId('txn', transactionId),
      type,
      correlation_id: correlationId,
      effective_on: effectiveOn,
      entry_count: transaction.entries.length,
      entries: transaction.entries.slice(0, MAX_ENTRIES).map(({ accountId, amount, currency }) => ({
        account_id: publicId('acc', accountId),
        amount: toJsonAmount(amount),
        currency,
      })),
    },
  })
}

const BY_COMMAND = {
  hold: holdCreated,
  increase_hold: holdIncreased,
  post_hold: holdPosted,
  void_hold: holdVoided,
  expire_hold: holdExpired,
} as const

export function holdEvent(
  kind: keyof typeof BY_COMMAND,
  state: HoldState,
  { at, requestId }: { at: Date; requestId: string },
): EmittedEvent {
  return BY_COMMAND[kind]({
    tenantId: state.tenantId,
    objectId: state.holdId,
    sequence: state.eventSequence,
    at,
    requestId,
    data: {
      hold_id: publicId('hld', state.holdId),
      status: state.status,
      amount: toJsonAmount(state.amount),
      posted_amount: toJsonAmount(state.postedAmount),
      released_amount: toJsonAmount(state.releasedAmount),
      currency: state.currency,
    },
  })
}

interface ChangedAccount {
  readonly tenantId: string
  readonly accountId: string
  readonly status: 'open' | 'closed'
  /** Each version is one event, so it numbers them too. */
  readonly version: number
}

export function accountEvent(
  made: typeof accountCreated,
  { tenantId, accountId, status, version }: ChangedAccount,
  { at, requestId }: { at: Date; requestId: string | null },
): EmittedEvent {
  return made({
    tenantId,
    objectId: accountId,
    sequence: version,
    at,
    requestId,
    data: { account_id: publicId('acc', accountId), status, version },
  })
}
