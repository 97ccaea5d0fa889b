import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  connectionTo,
  DATABASE,
  startEmbedded,
  type Connection,
} from '../../src/platform/postgres/index.ts'

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

export async function startTestCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'countinghouse-test-'))
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
