import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { elapsed } from '../clock.ts'
import { StartError } from '../start-error.ts'
import { findBinaries } from './binaries.ts'
import {
  clusterMajor,
  disownPostmasterFile,
  readPostmasterFile,
  systemIdentifier,
} from './cluster-files.ts'
import { readClusterRecord, writeClusterRecord } from './cluster-record.ts'
import { createCluster, SETTINGS_FILE } from './create-cluster.ts'
import { replaceFile } from './durable-files.ts'
import { probe, type Answer } from './probe.ts'
import { identityOf, type ProcessIdentity } from './process-identity.ts'
import { launchServer, standingOf } from './server-command.ts'
import type { ServerUser } from './server-user.ts'
import { settingsFile, type Settings } from './settings.ts'
import { removeSocketDirectory, removeStaleSocket, socketDirectory } from './socket-directory.ts'

/**
 * From whatever the last process left behind to a server that answers.
 *
 * Three truths are looked at again in every round: what `postmaster.pid` says, whether that process
 * lives and serves this cluster, and whether it answers. A postmaster that survived its parent is
 * adopted, one that is recovering is waited for, and if none lives one is started. The order holds
 * for every crash: a parent killed just after the launch leaves a server that is adopted; two
 * servers can never run, because PostgreSQL's own lock decides whenever we are in doubt.
 */
export interface Cluster {
  readonly dataDir: string
  readonly clusterDir: string
  readonly user: ServerUser | undefined
  readonly settings: Settings
}

export interface Running {
  readonly postmaster: ProcessIdentity
  readonly socketDir: string
  readonly version: string
  readonly adopted: boolean
}

const READY_MS = 120_000 // recovery reads at most max_wal_size; longer means that somebody must look
const ROUND_MS = 20 // a start takes 100 ms and more, so looking more often gains nothing
const ORPHANS_MS = 10_000 // how long children of a killed postmaster may hold its shared memory
const LOG_BYTES = 16 * 1024 * 1024

export async function bringUp(cluster: Cluster, signal?: AbortSignal): Promise<Running> {
  const { dataDir, clusterDir, user } = cluster
  const began = elapsed()
  let launched: Launched | undefined
  while (elapsed() - began < READY_MS) {
    const file = await readPostmasterFile(clusterDir)
    const standing = file === undefined ? 'dead' : standingOf(file.pid, clusterDir)
    if (file !== undefined && standing === 'ours') {
      signal?.throwIfAborted()
      const answer = file.socketDirectory && (await probe(file.socketDirectory))
      const postmaster = identityOf(file.pid)
      if (answer && file.socketDirectory && postmaster) {
        await mustBeThisCluster(clusterDir, answer)
        await record(cluster, file.socketDirectory, answer)
        const adopted = launched?.pid !== file.pid
        return { postmaster, socketDir: file.socketDirectory, version: answer.version, adopted }
      }
    } else if (launched === undefined) {
      signal?.throwIfAborted()
      if (file !== undefined && standing === 'stranger') throw startedByHand(clusterDir, file.pid)
      await mustNotAnswer(dataDir, clusterDir, file?.socketDirectory)
      if (file !== undefined && standing === 'unrelated') {
        await disownPostmasterFile(clusterDir)
        await removeStaleSocket(file.socketDirectory ?? clusterDir)
      }
      launched = await launch(cluster, file?.socketDirectory)
    } else if (launched.ended !== undefined) {
      const output = await launched.output()
      const waitsForOrphans = /shared memory block .* is still in use/.test(output)
      if (!waitsForOrphans || elapsed() - began > ORPHANS_MS) {
        await removeSocketDirectory(launched.socketDirectory, user)
        throw new StartError(
          `PostgreSQL did not start on ${clusterDir} (${launched.ended}): ${lastWords(output)} ` +
            `More is in ${logPath(dataDir)}.`,
        )
      }
      await sleep(500)
      launched = undefined
    }
    await sleep(ROUND_MS)
  }
  throw new StartError(
    `PostgreSQL on ${clusterDir} does not answer after ${READY_MS / 1000} s. It may still be ` +
      `recovering: read ${logPath(dataDir)}, then start again; a running recovery is waited for.`,
  )
}

/** Makes the cluster if there is none; refuses one that the programs cannot read. */
async function prepare({ dataDir, clusterDir, user }: Cluster): Promise<string> {
  const binaries = await findBinaries(dataDir, user)
  const major = await clusterMajor(clusterDir)
  if (major === undefined) {
    if (await exists(clusterDir)) {
      throw new StartError(
        `${clusterDir} exists and is no PostgreSQL cluster (it has no PG_VERSION). ` +
          `Move it away: mv ${clusterDir} ${clusterDir}.old`,
      )
    }
    await createCluster(dataDir, binaries, user)
  } else if (major !== binaries.major) {
    throw new StartError(
      `${clusterDir} was written by PostgreSQL ${major}, this release brings ${binaries.major}. ` +
        'Nothing was changed. Start the previous release, or move the data with pg_dump and ' +
        'pg_restore into a database that this one starts on a new data directory: --data DIR.',
    )
  }
  return binaries.postgres
}

interface Launched {
  readonly pid: number | undefined
  /** How it ended, once it has. */
  readonly ended: string | undefined
  readonly socketDirectory: string
  output(): Promise<string>
}

async function launch(cluster: Cluster, lastSocket: string | undefined): Promise<Launched> {
  const { dataDir, clusterDir, user, settings } = cluster
  const postgres = await prepare(cluster)
  await replaceFile(join(clusterDir, SETTINGS_FILE), settingsFile(settings), user)
  const previous = lastSocket ?? (await readClusterRecord(dataDir))?.socket_directory
  const listen = await socketDirectory(clusterDir, user, previous)
  const path = logPath(dataDir)
  await turnLog(path)
  await using log = await open(path, 'a', 0o600)
  const start = (await log.stat()).size
  const child = launchServer({ postgres, clusterDir, socketDirectory: listen, user, log: log.fd })
  let ended: string | undefined
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code, killer) => (ended = killer ?? `exit ${code}`))
  child.unref() // the server outlives us if it must; whoever waits for it keeps the loop alive
  return {
    pid: child.pid,
    socketDirectory: listen,
    get ended() {
      return ended
    },
    output: async () => (await readFile(path)).subarray(start).toString(),
  }
}

async function mustBeThisCluster(clusterDir: string, answer: Answer): Promise<void> {
  const expected = await systemIdentifier(clusterDir)
  if (answer.systemIdentifier === expected) return
  throw new StartError(
    `The PostgreSQL that answers for ${clusterDir} serves another cluster ` +
      `(${answer.systemIdentifier} instead of ${expected}). Stop it, then start again.`,
  )
}

/** Sockets cross the walls of containers, pids do not: a server in another one would be met here. */
async function mustNotAnswer(
  dataDir: string,
  clusterDir: string,
  current: string | undefined,
): Promise<void> {
  const recorded = (await readClusterRecord(dataDir))?.socket_directory
  for (const socketDir of new Set([clusterDir, current, recorded])) {
    if (socketDir === undefined || (await probe(socketDir)) === undefined) continue
    throw new StartError(
      `A PostgreSQL that this process cannot see answers in ${socketDir}: it runs in another ` +
        'container, or its postmaster.pid was removed. Stop that one first.',
    )
  }
}

function startedByHand(clusterDir: string, pid: number): StartError {
  return new StartError(
    `PostgreSQL, pid ${pid}, was started on ${clusterDir} by somebody else. ` +
      `Stop it with: kill -INT ${pid}`,
  )
}

async function record(cluster: Cluster, socketDir: string, answer: Answer): Promise<void> {
  const { dataDir, clusterDir } = cluster
  const next = {
    cluster_directory: clusterDir,
    system_identifier: answer.systemIdentifier,
    socket_directory: socketDir,
    server_version: answer.version,
  }
  const previous = await readClusterRecord(dataDir)
  if (JSON.stringify(previous) !== JSON.stringify(next)) await writeClusterRecord(dataDir, next)
}

function logPath(dataDir: string): string {
  return join(dataDir, 'postgres.log')
}

// One old log is kept: a server that complains for years must not fill the disk.
async function turnLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_BYTES) await rename(path, `${path}.1`)
}

// The complaint and what led to it, without time and pid.
function lastWords(output: string): string {
  const lines = output.trim().split('\n').slice(-3)
  return lines.map((line) => line.replace(/^.*?(?=[A-Z]{3,}: )/, '')).join(' / ')
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
