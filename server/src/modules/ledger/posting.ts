/**
 * What the poster is asked and what it answers. Amounts are bigint minor units; within the ledger a
 * debit is positive and a credit negative.
 */

/** One entry of a transaction to be booked. */
export interface Leg {
  readonly accountId: string
  readonly currency: string
  /** Debit > 0, credit < 0, never 0. */
  readonly amount: bigint
}

interface Booking {
  readonly tenantId: string
  /** Made by the caller, so that it can be told before the commit. */
  readonly transactionId: string
  readonly requestId: string
  readonly at: Date
  readonly description?: string | null
  readonly metadata?: Readonly<Record<string, string>>
}

export interface Post extends Booking {
  readonly kind: 'post'
  /** What happened, in the caller's words: `card_payment`, `refund`. */
  readonly type: string
  readonly legs: readonly Leg[]
  /** Business day `YYYY-MM-DD`; default today in the book's time zone. */
  readonly effectiveOn?: string
  /** Into a closed day: refuse (default), or book on the first open day. */
  readonly ifClosed?: 'refuse' | 'next_open'
  readonly correlationId?: string
  readonly externalId?: string
  /** `(event, object, n)` of a module: a replay answers the first transaction and books nothing. */
  readonly dedupeKey?: string
  /** The module whose objects this books: only that module may take it back. */
  readonly module?: string
  /** The transaction that this one puts right in part. */
  readonly corrects?: string
  /** Books past limits, blocks and a closed account: facts from outside that happened whether we like it or not. */
  readonly force?: boolean
  /** `last_seq` per account id that the caller decided upon. */
  readonly expectedVersions?: ReadonlyMap<string, bigint>
}

export interface Reverse extends Booking {
  readonly kind: 'reverse'
  readonly reverses: string
  /** Default: today. `original` books on the day of the transaction, if that is open. */
  readonly effectiveOn?: 'original'
}

interface HoldAct {
  readonly tenantId: string
  readonly holdId: string
  readonly requestId: string
  readonly at: Date
}

/** Sets an amount aside on two accounts until it is posted, voided or expires. */
export interface OpenHold extends HoldAct {
  readonly kind: 'hold'
  readonly debitAccountId: string
  readonly creditAccountId: string
  readonly currency: string
  readonly amount: bigint
  readonly expiresAt?: Date
  readonly correlationId?: string
  readonly description?: string | null
  readonly metadata?: Readonly<Record<string, string>>
}

export interface PostHold extends HoldAct {
  readonly kind: 'post_hold'
  readonly transactionId: string
  readonly type: string
  /** Default: all that is left. */
  readonly amount?: bigint
  /** Default true: what is left beyond the amount is released. */
  readonly final?: boolean
  /** Default: debit and credit the hold's two accounts. Own legs must take `amount` from the held one. */
  readonly legs?: readonly Leg[]
  /** Business day `YYYY-MM-DD`; default today in the book's time zone. */
  readonly effectiveOn?: string
  readonly description?: string | null
  readonly metadata?: Readonly<Record<string, string>>
}

export interface IncreaseHold extends HoldAct {
  readonly kind: 'increase_hold'
  readonly amount: bigint
}

export interface ReleaseHold extends HoldAct {
  readonly kind: 'void_hold' | 'expire_hold'
}

export type HoldCommand = PostHold | IncreaseHold | ReleaseHold
export type LedgerCommand = Post | Reverse | OpenHold | HoldCommand

/** One entry as it was booked. */
export interface BookedEntry extends Leg {
  readonly seq: bigint
  /** Debits less credits of the account after this entry. */
  readonly balanceAfter: bigint
  /** Of the account. */
  readonly normalSide: 'debit' | 'credit'
}

/** A transaction as the ledger keeps it. */
export interface Transaction {
  readonly tenantId: string
  readonly transactionId: string
  readonly type: string
  readonly effectiveOn: string
  /** Microseconds since 1970 by the database's clock; rises per account. */
  readonly bookedMicros: bigint
  /** Of the first entry. */
  readonly currency: string
  /** What is debited in that currency. */
  readonly amount: bigint
  readonly correlationId: string | null
  readonly holdId: string | null
  readonly reverses: string | null
  readonly corrects: string | null
  readonly externalId: string | null
  readonly description: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly entries: readonly BookedEntry[]
}

/** A transaction that this batch books. */
export interface BookedTransaction extends Transaction {
  readonly dedupeKey: string | null
  readonly module: string | null
  readonly requestId: string
  readonly at: Date
}

/** A hold as the ledger keeps it; changed in memory under its row lock. */
export interface HoldState {
  readonly tenantId: string
  readonly holdId: string
  readonly debitAccountId: string
  readonly creditAccountId: string
  readonly currency: string
  amount: bigint
  postedAmount: bigint
  releasedAmount: bigint
  status: 'pending' | 'posted' | 'voided' | 'expired'
  readonly expiresAt: Date | null
  readonly correlationId: string | null
  readonly description: string | null
  readonly metadata: Readonly<Record<string, string>>
  version: number
  eventSequence: number
  readonly createdAt: Date
  /** Opened by this batch; otherwise its row exists. */
  readonly isNew: boolean
  changed: boolean
}

/** What an accepted command made. A hold command answers its hold, a booking its transaction. */
export interface LedgerResult {
  readonly transaction?: BookedTransaction
  /** Set instead of `transaction` when a dedupe key was seen before. */
  readonly existingTransactionId?: string
  readonly hold?: HoldState
}
