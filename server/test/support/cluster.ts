import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  connectionTo,
  DATABASE,
  lockDataDirectory,
  startEmbedded,
  supervisorOf,
  type Connection,
} from '../../src/platform/postgres/index.ts'
import { stopLeftServer } from '../../src/platform/postgres/stop-server.ts'

/** A real PostgreSQL for one run of the tests, thrown away afterwards as a whole. */
export interface TestCluster {
  /** Complete client configuration of the empty database `countinghouse`; the user is superuser. */
  readonly connection: Connection
  connectionTo(database: string): Connection
  /** Stops the server and removes its directory. */
  stop(): Promise<void>
}

// Nothing that protects data is off: the tests run what production runs. Many test files connect at
// once, each with its own database, and a checkpoint in the middle of a run only costs time.
const settings = {
  shared_buffers: '256MB',
  max_connections: '200',
  checkpoint_timeout: '1h',
  autovacuum_naptime: '1min',
}

const PREFIX = 'countinghouse-test-'

export async function startTestCluster(): Promise<TestCluster> {
  await removeAbandoned()
  const directory = await mkdtemp(join(tmpdir(), PREFIX))
  await lockDataDirectory(directory) // held as long as this process lives: see removeAbandoned
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 })
  try {
    const embedded = await startEmbedded({ dataDir: directory, settings })
    return {
      connection: connectionTo(embedded, DATABASE),
      connectionTo: (database) => connectionTo(embedded, database),
      stop: async () => {
        await embedded.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

// A run that was killed leaves its server running. Only directories with the lock of a dead process
// are touched: one without a lock has just been made by another run.
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const directory = join(tmpdir(), name)
    if (!name.startsWith(PREFIX) || !(await isAbandoned(directory))) continue
    await stopLeftServer(join(directory, 'pg'))
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function isAbandoned(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch((): string[] => [])
  return names.includes('lock') && (await supervisorOf(directory)) === undefined
}
