// JSON's safe range; beyond it a balance could not be told (RFC 8259 §6).
export const MAX_BALANCE = 9_007_199_254_740_991n

/** The numbers of one account while its row is locked: changed in memory, written once per batch. */
export interface BalanceState {
  readonly tenantId: string
  readonly accountId: string
  readonly currency: string
  readonly normalSide: 'debit' | 'credit'
  readonly chartRole: string
  readonly status: 'open' | 'closed'
  readonly blocked: 'none' | 'outgoing' | 'incoming' | 'both'
  /** Least `available` allowed: null unbounded, 0 no overdraft, -50000 an overdraft of 500.00. */
  readonly minAvailable: bigint | null
  readonly maxBalance: bigint | null
  forcedFloor: bigint | null
  debitsPosted: bigint
  creditsPosted: bigint
  debitsPending: bigint
  creditsPending: bigint
  /** `last_seq` as it was read: the write is guarded by it. */
  readonly readSeq: bigint
  lastSeq: bigint
  readonly lastBookedMicros: bigint
  booked: boolean
  changed: boolean
}

/** What a command would add to one account. */
export interface BalanceChange {
  debitsPosted: bigint
  creditsPosted: bigint
  debitsPending: bigint
  creditsPending: bigint
}

type Totals = Pick<
  BalanceState,
  'normalSide' | 'debitsPosted' | 'creditsPosted' | 'debitsPending' | 'creditsPending'
>

/** Everything booked, seen from the account's normal side. */
export function posted(totals: Totals): bigint {
  const net = totals.debitsPosted - totals.creditsPosted
  return totals.normalSide === 'debit' ? net : -net
}

/** Booked, and every hold as if it were settled in full. */
export function pending(totals: Totals): bigint {
  const net = totals.debitsPending - totals.creditsPending
  return posted(totals) + (totals.normalSide === 'debit' ? net : -net)
}

/** What can be taken now: outgoing holds count, incoming ones do not. */
export function available(totals: Totals): bigint {
  const outgoing = totals.normalSide === 'debit' ? totals.creditsPending : totals.debitsPending
  return posted(totals) - outgoing
}

/**
 * The database checks available >= least(min_available, forced_floor): below the limit the floor is
 * what is left now, so that the next worsening is caught there too.
 */
export function floorOf(totals: Totals & { readonly minAvailable: bigint | null }): bigint | null {
  const open = available(totals)
  return totals.minAvailable === null || open >= totals.minAvailable ? null : open
}
