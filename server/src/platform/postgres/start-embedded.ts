import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../start-error.ts'
import { bringUp, type Cluster, type Running } from './bring-up.ts'
import { removeUnfinishedCluster } from './create-cluster.ts'
import { connectionTo, withClient } from './probe.ts'
import { serverUser } from './server-user.ts'
import { durabilitySettings, tunedSettings, type Settings } from './settings.ts'
import { removeSocketPlace } from './socket-directory.ts'
import { stopServer } from './stop-server.ts'

/** The database of the service; `postgres` is there for maintenance. */
export const DATABASE = 'countinghouse'

export interface EmbeddedPostgres {
  /** Directory of the socket, the `host` of a connection. */
  readonly socketDir: string
  /** PostgreSQL's version, such as `18.4`. */
  readonly version: string
  /** True when the server had survived an earlier process and was taken over. */
  readonly adopted: boolean
  readonly postmasterPid: number
  /** Ends all sessions and the server. May be called again. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly dataDir: string
  /** Laid over ours, for tests and measurements; has no effect on a server that is adopted. */
  readonly settings?: Settings
}

/**
 * Starts the cluster `dataDir/pg`, or adopts its running server, and answers once it can be used.
 * The first start makes the cluster. The caller holds the lock of the data directory.
 * @throws StartError when a person has to do something first.
 */
export async function startEmbedded(options: StartOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const dataDir = await realpath(options.dataDir)
  const clusterDir = join(dataDir, 'pg')
  const user = await serverUser(clusterDir)
  const settings = { ...tunedSettings(), ...options.settings }
  const cluster: Cluster = { dataDir, clusterDir, user, settings }
  await removeUnfinishedCluster(dataDir)
  const running = await bringUp(cluster)
  const stop = async () => {
    await stopServer(running.postmaster)
    await removeSocketPlace(clusterDir, running.socketDir)
  }
  try {
    await ensureDatabase(running)
    await mustBeDurable(running)
  } catch (error) {
    await stop()
    throw error
  }
  let stopped: Promise<void> | undefined
  return {
    socketDir: running.socketDir,
    version: running.version,
    adopted: running.adopted,
    postmasterPid: running.postmaster.pid,
    stop: () => (stopped ??= stop()),
  }
}

async function ensureDatabase(running: Running): Promise<void> {
  await withClient(connectionTo(running, 'postgres'), async (client) => {
    const there = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (there.rowCount === 0) await client.query(`create database ${DATABASE}`)
  })
}

async function mustBeDurable(running: Running): Promise<void> {
  const { rows } = await withClient(connectionTo(running, DATABASE), (client) =>
    client.query<{ name: string; origin: string }>(
      `select name, coalesce(sourcefile || ', line ' || sourceline, source) as origin
       from pg_settings where name = any($1) and setting = 'off'`,
      [durabilitySettings],
    ),
  )
  const [off] = rows
  if (off === undefined) return
  throw new StartError(
    `PostgreSQL's setting ${off.name} is off (${off.origin}): a power cut could lose payments that ` +
      'were confirmed. Remove it there, then start again.',
  )
}
