/** A transaction as the views of ledger tell it. */
export interface HistoryHead {
  readonly transaction_id: string
  readonly type: string
  /** RFC 3339 in UTC with microseconds: a `Date` would cut them off. */
  readonly booked_at: string
  readonly effective_on: string
  /** What is debited in `currency`. */
  readonly amount: bigint
  readonly currency: string
  readonly description: string | null
  readonly external_id: string | null
  readonly correlation_id: string | null
  readonly reverses_transaction_id: string | null
  readonly reversed_by_transaction_id: string | null
  readonly metadata: Record<string, string>
  readonly entry_count: number
  /** Of the entry through which it was found, when an account was asked for. */
  readonly seq?: bigint
}

/** With the payment that it belongs to, if there is one. */
export interface HistoryRow extends HistoryHead {
  readonly payment: HistoryPayment | undefined
}

export interface HistoryPayment {
  readonly payment_id: string
  readonly status: string
  readonly external_id: string | null
  readonly description: string | null
}

export interface HistoryEntry {
  readonly transaction_id: string
  readonly account_id: string
  readonly seq: bigint
  readonly currency: string
  /** Debit > 0, credit < 0. */
  readonly amount: bigint
  /** Seen from the account's normal side. */
  readonly balance_after: bigint
}

/** Whole, for JSON. */
export interface DetailedRow extends HistoryRow {
  readonly entries: readonly HistoryEntry[]
}

/** The two accounts of a transaction that has just two entries: all that a line of CSV can show. */
export interface HistorySides {
  readonly transaction_id: string
  readonly debit_account_id: string
  readonly credit_account_id: string
}

export interface FlatRow extends HistoryRow {
  readonly sides: HistorySides | undefined
}

export function statusOf(row: HistoryHead): 'posted' | 'reversed' {
  return row.reversed_by_transaction_id === null ? 'posted' : 'reversed'
}

/** Its own, or else that of its payment. */
export function descriptionOf({ description, payment }: HistoryRow): string | null {
  return description ?? payment?.description ?? null
}

/** Its own external id, or else that of its payment. */
export function referenceOf({ external_id: own, payment }: HistoryRow): string | null {
  return own ?? payment?.external_id ?? null
}
