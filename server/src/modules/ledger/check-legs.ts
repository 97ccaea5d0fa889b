import type { Refused } from '../../platform/errors.ts'
import { MAX_BALANCE } from './balance.ts'
import { refuse } from './ledger.errors.ts'
import type { Leg } from './posting.ts'

const MAX_ENTRIES = 100

/** Entries that cannot be a transaction whatever the accounts say. */
export function checkLegs(legs: readonly Leg[]): Refused | undefined {
  if (legs.length < 2) return refuse('too_few_entries')
  if (legs.length > MAX_ENTRIES) return refuse('too_many_entries')
  const [first, second] = legs as [Leg, Leg]
  if (legs.length === 2) {
    const balanced = first.currency === second.currency && first.amount === -second.amount
    return balanced ? undefined : refuse('unbalanced')
  }
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of legs) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
  const off = [...sums].find(([, sum]) => sum !== 0n)
  if (off !== undefined) return refuse('unbalanced', { currency: off[0] })
  const debits = legs.reduce((sum, { amount }) => (amount > 0n ? sum + amount : sum), 0n)
  return debits > MAX_BALANCE ? refuse('total_out_of_range') : undefined
}
