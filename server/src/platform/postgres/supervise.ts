import { setTimeout as sleep } from 'node:timers/promises'
import { elapsed } from '../clock.ts'
import { bringUp, type Cluster, type Running } from './bring-up.ts'
import { isAlive } from './process-identity.ts'
import { stopLeftServer, stopServer } from './stop-server.ts'

/** Says something in one line, for the log of the process. */
export type Report = (line: string) => void

export interface Supervision {
  /** The server as it is now: another process after a restart. */
  current(): Running
  /** Ends the server for good. */
  stop(): Promise<void>
}

const LOOK_MS = 500 // added to the time without database when the server dies
const PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000 // a full disk is freed by a person; then we want to be back soon

/**
 * Starts the server again when it dies while nobody asked it to (killed by the kernel for memory, by
 * an operator). PostgreSQL restarts its children itself, but nobody restarts PostgreSQL. The socket
 * stays where it is, so pools find it again. It never gives up: an API that answers 503 and recovers
 * by itself is better than one that is gone.
 */
export function supervise(cluster: Cluster, running: Running, report: Report): Supervision {
  const stopping = new AbortController()
  let current = running
  let revival: Promise<void> | undefined
  const timer = setInterval(look, LOOK_MS)
  timer.unref()

  function look(): void {
    if (revival !== undefined || isAlive(current.postmaster)) return
    revival = revive().finally(() => (revival = undefined))
  }

  async function revive(): Promise<void> {
    const died = elapsed()
    report(`PostgreSQL, pid ${current.postmaster.pid}, has died; starting it again`)
    let pause = PAUSE_MS
    while (!stopping.signal.aborted) {
      try {
        current = await bringUp(cluster, stopping.signal)
        report(`PostgreSQL is back after ${Math.round(elapsed() - died)} ms`)
        return
      } catch (error) {
        if (stopping.signal.aborted) return
        report(`PostgreSQL cannot be started again: ${(error as Error).message}`)
      }
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    clearInterval(timer)
    await revival
    await stopServer(current.postmaster)
    // A revival that was cut short may have left a server of which `current` does not know.
    await stopLeftServer(cluster.clusterDir)
  }

  return { current: () => current, stop }
}
