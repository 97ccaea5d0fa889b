import type { Pick } from './load.ts'

/** Two different accounts by their place in a list of `count`; the first is the hot one. */
export interface AccountPicker {
  credit(): number
  /** Any other than the one that is credited. */
  debit(credited: number): number
}

export function pickAccounts(count: number, pick: Pick): AccountPicker {
  // xorshift32: fair enough, and far cheaper than a call to Math.random at this place.
  let state = (process.pid * 2_654_435_761) >>> 0 || 1
  function random(below: number): number {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  return {
    credit: () => (pick === 'hot' ? 0 : random(count)),
    debit: (credited) => (credited + 1 + random(count - 1)) % count,
  }
}
