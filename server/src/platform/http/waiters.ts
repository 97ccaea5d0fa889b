import { elapsed } from '../clock.ts'
import { createWaiterSet } from './waiter-set.ts'

/**
 * Requests that wait for an object to change, without holding a connection or a timer each.
 *
 * One tick of 200 ms, running only while somebody waits, ends the waits whose time is over and asks
 * the database once for the versions of everything waited for. A commit in this process wakes its
 * waiters at once; the tick is what finds the commits of other processes, and a wake-up that came
 * before its waiter. A slow database delays the versions, never the deadlines.
 */

const TICK_MS = 200 // Shorter: more queries than news. Longer: a completion on another node is felt.
const MAX_PER_CLIENT = 20 // one client may not hold all places
const MAX_PER_PROCESS = 2_000 // ids in one query, and sockets held open

export interface Wait {
  readonly tenantId: string
  readonly objectId: string
  /** The version that the waiter has seen. */
  readonly version: number
  readonly clientId: string
  readonly timeoutMs: number
  /** Ends the wait when the client hangs up. */
  readonly signal?: AbortSignal
}

export type WaitEnd = 'changed' | 'timeout' | 'full' | 'closing'

export interface WaitedObject {
  readonly tenantId: string
  readonly objectId: string
}

export interface Waiters {
  /** Never rejects. `full`: too many wait already, answer at once. */
  wait(wait: Wait): Promise<WaitEnd>
  /** Objects that a commit of this process has changed. */
  wake(objectIds: Iterable<string>): void
  /** Ends all waits, and every later one at once. */
  close(): void
}

export interface WaiterOptions {
  /** Current versions by object id, one query for all. Objects that are gone are left out. */
  readonly versionsOf: (objects: readonly WaitedObject[]) => Promise<ReadonlyMap<string, number>>
  readonly onError: (error: unknown) => void
  /** True when the process is too strained to hold requests: they are answered at once. */
  readonly isStrained?: () => boolean
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly schedule?: (tick: () => void, ms: number) => { unref?: () => unknown }
}

interface Waiter extends Wait {
  readonly deadline: number
  readonly end: (end: WaitEnd) => void
}

export function createWaiters(options: WaiterOptions): Waiters {
  const { versionsOf, onError, isStrained = never, now = elapsed, schedule = setTimeout } = options
  const waiters = createWaiterSet<Waiter>()
  let ticking = false
  let asking = false
  let closed = false

  function wait(asked: Wait): Promise<WaitEnd> {
    if (closed) return Promise.resolve('closing')
    const isFull =
      waiters.count >= MAX_PER_PROCESS || waiters.countOf(asked.clientId) >= MAX_PER_CLIENT
    if (isFull || isStrained()) return Promise.resolve('full')
    if (asked.signal?.aborted === true) return Promise.resolve('timeout')
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.end('timeout')
      const waiter: Waiter = {
        ...asked,
        deadline: now() + asked.timeoutMs,
        end(end) {
          if (!waiters.remove(waiter)) return
          asked.signal?.removeEventListener('abort', onAbort)
          resolve(end)
        },
      }
      asked.signal?.addEventListener('abort', onAbort)
      waiters.add(waiter)
      startTicking()
    })
  }

  function startTicking(): void {
    if (ticking) return
    ticking = true
    schedule(tick, TICK_MS).unref?.()
  }

  function tick(): void {
    ticking = false
    const time = now()
    for (const waiter of waiters.all()) if (waiter.deadline <= time) waiter.end('timeout')
    if (waiters.count === 0) return
    startTicking()
    if (!asking) void ask()
  }

  async function ask(): Promise<void> {
    asking = true
    try {
      const versions = await versionsOf(waiters.onePerObject())
      for (const waiter of waiters.all()) {
        const version = versions.get(waiter.objectId)
        if (version !== undefined && version !== waiter.version) waiter.end('changed')
      }
    } catch (error) {
      onError(error)
    } finally {
      asking = false
    }
  }

  function wake(objectIds: Iterable<string>): void {
    if (waiters.count === 0) return
    for (const objectId of objectIds) {
      for (const waiter of waiters.of(objectId)) waiter.end('changed')
    }
  }

  function close(): void {
    closed = true
    for (const waiter of waiters.all()) waiter.end('closing')
  }

  return { wait, wake, close }
}

function never(): boolean {
  return false
}
