/** The only place that reads the machine's clock, so that a test can own time. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** Monotonic milliseconds, for measuring how long something took. */
export function elapsed(): number {
  return performance.now()
}
