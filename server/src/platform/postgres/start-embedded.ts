import { join } from 'node:path'
import { StartError } from '../start-error.ts'
import { bringUp, type Cluster } from './bring-up.ts'
import { readClusterRecord } from './cluster-record.ts'
import { removeUnfinishedCluster, SUPERUSER } from './create-cluster.ts'
import { openDataDirectory } from './data-directory.ts'
import { connectionTo, probe, withClient, type Connection } from './probe.ts'
import { serverUser } from './server-user.ts'
import { durabilitySettings, tunedSettings, type Settings } from './settings.ts'
import { removeSocketDirectory } from './socket-directory.ts'
import { supervise, type Report } from './supervise.ts'

/** The database of the service; `postgres` is there for maintenance. */
export const DATABASE = 'countinghouse'

export interface EmbeddedPostgres {
  /** Directory of the socket: the `host` of a connection. It stays the same over restarts. */
  readonly socketDir: string
  /** The database superuser, who owns everything. */
  readonly user: string
  /** PostgreSQL's version, such as `18.4`. */
  readonly version: string
  /** True when the server had survived an earlier process and was taken over. */
  readonly adopted: boolean
  /** Of the server as it is now; changes when it died and was started again. */
  postmasterPid(): number
  /** Ends all sessions, then the server. May be called more than once. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly dataDir: string
  /** Laid over ours, for tests and measurements; without effect on a server that is adopted. */
  readonly settings?: Settings
  /** Hears when the server has died and when it is back. */
  readonly report?: Report
}

/**
 * Starts the cluster `dataDir/pg`, or adopts its running server, and answers once it can be used.
 * The first start makes the cluster. From then on it is started again whenever it dies, until
 * `stop`. The caller holds the lock of the data directory.
 * @throws StartError when a person has to do something first.
 */
export async function startEmbedded(options: StartOptions): Promise<EmbeddedPostgres> {
  const dataDir = await openDataDirectory(options.dataDir)
  const clusterDir = join(dataDir, 'pg')
  const user = await serverUser(clusterDir)
  const settings = { ...tunedSettings(), ...options.settings }
  const cluster: Cluster = { dataDir, clusterDir, user, settings }
  await removeUnfinishedCluster(dataDir)
  const running = await bringUp(cluster)
  const { socketDir, version, adopted } = running
  const supervision = supervise(cluster, running, options.report ?? (() => undefined))
  const stop = async () => {
    await supervision.stop()
    await removeSocketDirectory(socketDir, user)
  }
  try {
    await ensureDatabase(socketDir)
    await mustBeDurable(socketDir)
  } catch (error) {
    await stop()
    throw error
  }
  let stopped: Promise<void> | undefined
  return {
    socketDir,
    user: SUPERUSER,
    version,
    adopted,
    postmasterPid: () => supervision.current().postmaster.pid,
    stop: () => (stopped ??= stop()),
  }
}

/**
 * The database that another process of the same data directory keeps running: for the roles `api`
 * and `worker` and for commands, which use it and neither start nor stop it.
 * @throws StartError when none runs.
 */
export async function findEmbedded(dataDir: string): Promise<Connection> {
  const record = await readClusterRecord(dataDir)
  const answer = record && (await probe(record.socket_directory))
  if (record !== undefined && answer?.systemIdentifier === record.system_identifier) {
    return connectionTo({ socketDir: record.socket_directory }, DATABASE)
  }
  throw new StartError(
    `No database runs on ${dataDir}. Start it with: countinghouse start --data ${dataDir}, ` +
      'or set DATABASE_URL.',
  )
}

async function ensureDatabase(socketDir: string): Promise<void> {
  await withClient(connectionTo({ socketDir }, 'postgres'), async (client) => {
    const there = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (there.rowCount === 0) await client.query(`create database ${DATABASE}`)
  })
}

async function mustBeDurable(socketDir: string): Promise<void> {
  const { rows } = await withClient(connectionTo({ socketDir }, DATABASE), (client) =>
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
      'were confirmed. Remove that, then start again.',
  )
}
