import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/**
 * How strained this process is, from 0 to 4, looked at twice a second. Each strained look goes up a
 * level and each calm one down, so that a hiccup turns nobody away and a flood is met within 2 s.
 *
 * | level | turned away |
 * | 1 | nothing of clients: the process claims no background work |
 * | 2 | exports, report runs, searches, lists of operators |
 * | 3 | all lists; long polls answer at once |
 * | 4 | reads of single objects |
 *
 * Commands are never turned away here: the batcher does so when its own queue is full.
 */
export interface Load {
  level(): number
  stop(): void
}

export interface LoadSignals {
  /** 99th percentile since the last look, in milliseconds. */
  readonly loopDelayMs: number
  /** Share of the time since the last look in which the event loop was busy. */
  readonly utilization: number
  /** Share of the heap's limit in use. */
  readonly heap: number
  /** What the program adds: pools with a long queue, a database that does not answer. */
  readonly pressed: boolean
}

const LOOK_MS = 500
const MAX_LEVEL = 4
const MAX_LOOP_DELAY_MS = 250 // an answer waits that long before its handler begins
const MAX_UTILIZATION = 0.95
const MAX_HEAP = 0.85 // beyond it the collector takes the time that requests need
const BUSY_LEVEL = 2 // a process that is merely busy serves its clients, not its exports

/** The level after one more look. */
export function nextLevel(level: number, signals: LoadSignals): number {
  const { loopDelayMs, utilization, heap, pressed } = signals
  if (loopDelayMs > MAX_LOOP_DELAY_MS || heap > MAX_HEAP || pressed) {
    return Math.min(level + 1, MAX_LEVEL)
  }
  if (utilization > MAX_UTILIZATION) return level < BUSY_LEVEL ? level + 1 : BUSY_LEVEL
  return Math.max(level - 1, 0)
}

export function watchLoad(isPressed: () => boolean = () => false): Load {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const heapLimit = getHeapStatistics().heap_size_limit
  let before = performance.eventLoopUtilization()
  let level = 0

  function look(): void {
    const now = performance.eventLoopUtilization()
    level = nextLevel(level, {
      loopDelayMs: delay.percentile(99) / 1e6,
      utilization: performance.eventLoopUtilization(now, before).utilization,
      heap: getHeapStatistics().used_heap_size / heapLimit,
      pressed: isPressed(),
    })
    before = now
    delay.reset()
  }

  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return {
    level: () => level,
    stop() {
      clearInterval(timer)
      delay.disable()
    },
  }
}
