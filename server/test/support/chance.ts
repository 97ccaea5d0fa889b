/** A stream of choices that a seed repeats. */
export interface Chance {
  readonly seed: number
  /** 0 <= n < limit. */
  below(limit: number): number
  /** True once in `n` times. */
  oneIn(n: number): boolean
  pick<Value>(values: readonly Value[]): Value
}

/** Seeded by `COUNTINGHOUSE_TEST_SEED`, else by the time; a test prints the seed when it fails. */
export function chanceOf(
  seed = Number(process.env['COUNTINGHOUSE_TEST_SEED'] ?? Date.now() % 1e9),
): Chance {
  let state = seed >>> 0
  // A linear congruential generator (Numerical Recipes' constants); its high bits are good enough.
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    seed,
    below,
    oneIn: (n) => below(n) === 0,
    pick: (values) => values[below(values.length)] as (typeof values)[number],
  }
}
