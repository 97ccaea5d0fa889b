import { elapsed } from '../platform/clock.ts'

// Beyond the longest drain: requests 25 s, jobs 20 s, calls to a gateway 20 s, all at once.
const LIMIT_MS = 40_000

// One Ctrl-C comes twice, from the terminal and from npm, which passes on what it was sent itself.
const ECHO_MS = 500

export interface StopSignals {
  /** Resolves with the first SIGTERM or SIGINT. */
  readonly requested: Promise<NodeJS.Signals>
  /** Throws when a signal came already: between the steps of a start. */
  throwIfRequested(): void
}

/** Was told to stop before it was ready: not a fault. */
export class StoppedEarly extends Error {}

/**
 * The first signal asks for an orderly end; a second, or 40 s, ends the process with 1 at once. That
 * is harmless: what was cut off is found by its lease and asked for again.
 */
export function listenForStop(): StopSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let stoppingSince: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== undefined) {
      if (elapsed() - stoppingSince > ECHO_MS) process.exit(1)
      return
    }
    stoppingSince = elapsed()
    setTimeout(() => process.exit(1), LIMIT_MS).unref()
    resolve(signal)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return {
    requested: promise,
    throwIfRequested() {
      if (stoppingSince !== undefined) throw new StoppedEarly()
    },
  }
}
