import type { Refused } from '../../platform/errors.ts'
import { publicId } from '../../platform/ids.ts'
import {
  type BalanceChange,
  type BalanceState,
  MAX_BALANCE,
  available,
  floorOf,
  pending,
  posted,
} from './balance.ts'
import { refuse } from './ledger.errors.ts'
import type { LockedBooks } from './lock-books.ts'
import type { Leg } from './posting.ts'

// int8 ends at 9.22e18. Totals only grow, so they are refused long before they overflow.
const MAX_TOTAL = 4_000_000_000_000_000_000n

/** What a command would do to each account, by account id. */
export type Changes = Map<string, BalanceChange>

export function changeOf(changes: Changes, accountId: string): BalanceChange {
  let change = changes.get(accountId)
  if (change === undefined) {
    change = { debitsPosted: 0n, creditsPosted: 0n, debitsPending: 0n, creditsPending: 0n }
    changes.set(accountId, change)
  }
  return change
}

export function addLegs(changes: Changes, legs: readonly Leg[]): Changes {
  for (const { accountId, amount } of legs) {
    const change = changeOf(changes, accountId)
    if (amount > 0n) change.debitsPosted += amount
    else change.creditsPosted -= amount
  }
  return changes
}

export interface Permission {
  readonly tenantId: string
  readonly force?: boolean
  readonly expectedVersions?: ReadonlyMap<string, bigint>
}

/** Checks every account against the whole command, then changes all of them or none. */
export function applyChanges(
  books: LockedBooks,
  { tenantId, force = false, expectedVersions }: Permission,
  legs: readonly Leg[],
  changes: Changes,
): Refused | undefined {
  for (const [index, leg] of legs.entries()) {
    const state = books.balances.get(`${tenantId} ${leg.accountId}`)
    const refused = checkAccount(state, leg, index, force)
    if (refused !== undefined) return refused
  }
  for (const [accountId, change] of changes) {
    const state = books.balances.get(`${tenantId} ${accountId}`)
    if (state === undefined) {
      return refuse('account_not_found', { account_id: publicId('acc', accountId) })
    }
    const expected = expectedVersions?.get(accountId)
    if (expected !== undefined && expected !== state.lastSeq) {
      return refuse('version_mismatch', {
        account_id: publicId('acc', accountId),
        current_version: Number(state.lastSeq),
      })
    }
    const refused = checkLimits(state, change, force)
    if (refused !== undefined) return refused
  }
  for (const [accountId, change] of changes) {
    changeBalance(books.balances.get(`${tenantId} ${accountId}`) as BalanceState, change)
  }
  return undefined
}

function checkAccount(
  state: BalanceState | undefined,
  { accountId, currency, amount }: Leg,
  index: number,
  force: boolean,
): Refused | undefined {
  const facts = () => ({ account_id: publicId('acc', accountId), entry: index })
  if (state === undefined) return refuse('account_not_found', facts())
  if (state.currency !== currency) {
    return refuse('currency_mismatch', { ...facts(), account_currency: state.currency })
  }
  if (force) return undefined
  const incoming = amount > 0n === (state.normalSide === 'debit')
  if (state.status === 'closed' && incoming) return refuse('account_closed', facts())
  if (state.blocked === 'none') return undefined
  const stopped = state.blocked === 'both' || state.blocked === (incoming ? 'incoming' : 'outgoing')
  return stopped ? refuse('account_blocked', { ...facts(), blocked: state.blocked }) : undefined
}

function checkLimits(
  state: BalanceState,
  change: BalanceChange,
  force: boolean,
): Refused | undefined {
  const after = {
    normalSide: state.normalSide,
    debitsPosted: state.debitsPosted + change.debitsPosted,
    creditsPosted: state.creditsPosted + change.creditsPosted,
    debitsPending: state.debitsPending + change.debitsPending,
    creditsPending: state.creditsPending + change.creditsPending,
  }
  const booked = posted(after)
  const settled = pending(after)
  const open = available(after)
  const facts = () => ({ account_id: publicId('acc', state.accountId) })
  if (
    booked > MAX_BALANCE ||
    booked < -MAX_BALANCE ||
    settled > MAX_BALANCE ||
    settled < -MAX_BALANCE ||
    open < -MAX_BALANCE ||
    after.debitsPosted > MAX_TOTAL ||
    after.creditsPosted > MAX_TOTAL ||
    after.debitsPending > MAX_BALANCE ||
    after.creditsPending > MAX_BALANCE
  ) {
    return refuse('balance_out_of_range', facts())
  }
  if (force) return undefined
  // What a fact has left on a closed account may be taken from there; no more than that.
  if (state.status === 'closed' && open < 0n) return refuse('account_closed', facts())
  // An account may lawfully be beyond a limit already; then what does not make it worse must pass.
  const before = available(state)
  if (state.minAvailable !== null && open < state.minAvailable && open < before) {
    return refuse('insufficient_funds', { ...facts(), available: Number(before) })
  }
  if (state.maxBalance !== null && booked > state.maxBalance && booked > posted(state)) {
    return refuse('balance_limit_exceeded', { ...facts(), max_balance: Number(state.maxBalance) })
  }
  return undefined
}

function changeBalance(state: BalanceState, change: BalanceChange): void {
  state.debitsPosted += change.debitsPosted
  state.creditsPosted += change.creditsPosted
  state.debitsPending += change.debitsPending
  state.creditsPending += change.creditsPending
  state.changed = true
  state.forcedFloor = floorOf(state)
}
