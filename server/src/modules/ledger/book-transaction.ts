import type { BalanceState } from './balance.ts'
import type { LockedBooks } from './lock-books.ts'
import type { BookedEntry, BookedTransaction, Leg, Post, PostHold, Reverse } from './posting.ts'

export interface BookingFacts {
  readonly legs: readonly Leg[]
  readonly effectiveOn: string
  readonly type: string
  readonly correlationId: string | null
  readonly holdId?: string
  readonly reverses?: string
}

/** Writes the booking into the batch: numbers its entries and chains the running balances. */
export function bookTransaction(
  books: LockedBooks,
  command: Post | Reverse | PostHold,
  { legs, effectiveOn, type, correlationId, holdId, reverses }: BookingFacts,
): BookedTransaction {
  const { tenantId, transactionId, requestId, at } = command
  const currency = (legs[0] as Leg).currency
  const post = command.kind === 'post' ? command : undefined
  const transaction: BookedTransaction = {
    tenantId,
    transactionId,
    type,
    effectiveOn,
    bookedMicros: books.bookedMicros,
    currency,
    amount: debited(legs, currency),
    correlationId,
    holdId: holdId ?? null,
    reverses: reverses ?? null,
    corrects: post?.corrects ?? null,
    externalId: post?.externalId ?? null,
    dedupeKey: post?.dedupeKey ?? null,
    module: post?.module ?? null,
    description: command.description ?? null,
    metadata: command.metadata ?? {},
    entries: numberEntries(books, tenantId, legs),
    requestId,
    at,
  }
  books.booked.push(transaction)
  return transaction
}

function debited(legs: readonly Leg[], currency: string): bigint {
  return legs.reduce(
    (sum, leg) => (leg.amount > 0n && leg.currency === currency ? sum + leg.amount : sum),
    0n,
  )
}

/** The states hold the balance after the whole transaction: walk back to number leg by leg. */
function numberEntries(books: LockedBooks, tenantId: string, legs: readonly Leg[]): BookedEntry[] {
  const running = new Map<BalanceState, bigint>()
  for (const leg of legs) {
    const state = stateOf(books, tenantId, leg)
    const after = running.get(state) ?? state.debitsPosted - state.creditsPosted
    running.set(state, after - leg.amount)
  }
  return legs.map((leg) => {
    const state = stateOf(books, tenantId, leg)
    const balanceAfter = (running.get(state) as bigint) + leg.amount
    running.set(state, balanceAfter)
    state.lastSeq += 1n
    state.booked = true
    return { ...leg, seq: state.lastSeq, balanceAfter, normalSide: state.normalSide }
  })
}

function stateOf({ balances }: LockedBooks, tenantId: string, { accountId }: Leg): BalanceState {
  return balances.get(`${tenantId} ${accountId}`) as BalanceState
}
