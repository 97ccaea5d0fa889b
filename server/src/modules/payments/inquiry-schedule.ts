/**
 * When an attempt is looked at again. A clock alone never turns unknown into failed: the money may
 * have moved. Past the deadline a person decides.
 */
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Schedule {
  /** Pauses after the first, second, … look; the last one repeats. */
  readonly pausesMs: readonly number[]
  readonly deadlineMs: number
}

// oxfmt-ignore
const SCHEDULES = {
  /** Perhaps done, perhaps not: ask soon. */
  unknown:  { pausesMs: [5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR], deadlineMs: DAY },
  /** Accepted, the final answer comes later. */
  pending:  { pausesMs: [MINUTE, 10 * MINUTE, 6 * HOUR],                                  deadlineMs: 7 * DAY },
  /** Proven not sent: sending again is safe, under the same key. */
  not_sent: { pausesMs: [SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR],  deadlineMs: DAY },
} as const satisfies Record<string, Schedule>

/**
 * The next look at an attempt in this state, or undefined past its deadline. `count` looks were
 * taken before; `since` is when it was first sent.
 */
export function nextLook(
  state: keyof typeof SCHEDULES,
  { count, since, now }: { count: number; since: Date; now: Date },
): Date | undefined {
  const { pausesMs, deadlineMs } = SCHEDULES[state]
  if (now.getTime() - since.getTime() >= deadlineMs) return undefined
  const pause = pausesMs[Math.min(count, pausesMs.length - 1)] as number
  return new Date(now.getTime() + pause)
}
