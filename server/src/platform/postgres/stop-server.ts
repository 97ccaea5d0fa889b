import { setTimeout as sleep } from 'node:timers/promises'
import { elapsed } from '../clock.ts'
import { readPostmasterFile } from './cluster-files.ts'
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.ts'
import { standingOf } from './server-command.ts'

const FAST_MS = 30_000 // a fast shutdown writes a checkpoint; a slow disk may need this for 1 GB
const IMMEDIATE_MS = 10_000
const LOOK_MS = 10

/**
 * SIGINT, "fast": sessions are closed, a checkpoint is written. Not SIGTERM, which waits for clients
 * for ever. If that takes too long SIGQUIT, "immediate": as safe, but the next start has to recover.
 */
export async function stopServer(postmaster: ProcessIdentity): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGINT', FAST_MS],
    ['SIGQUIT', IMMEDIATE_MS],
  ] as const) {
    const began = elapsed()
    if (isAlive(postmaster)) send(postmaster.pid, signal)
    while (elapsed() - began < limitMs) {
      if (!isAlive(postmaster)) return
      await sleep(LOOK_MS)
    }
  }
  throw new Error(`PostgreSQL, pid ${postmaster.pid}, ignores SIGINT and SIGQUIT.`)
}

/** Stops whatever server of ours runs on this cluster, if one does. */
export async function stopLeftServer(clusterDir: string): Promise<void> {
  const postmaster = await runningServer(clusterDir)
  if (postmaster !== undefined) await stopServer(postmaster)
}

async function runningServer(clusterDir: string): Promise<ProcessIdentity | undefined> {
  const file = await readPostmasterFile(clusterDir)
  const isOurs = file !== undefined && standingOf(file.pid, clusterDir) === 'ours'
  return isOurs ? identityOf(file.pid) : undefined
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
