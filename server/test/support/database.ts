import pg from 'pg'
import { type Connection, type Pools, openPools } from '../../src/platform/db/pools.ts'
import { testClusterFromEnv } from './test-cluster-env.ts'

/** A migrated database that belongs to one test file. */
export interface TestDatabase {
  /** Connects as the owner of the tables, as migrations do. */
  readonly connection: Connection
  /** Connects as the service does. */
  readonly pools: Pools
  close(): Promise<void>
}

/**
 * Clones the migrated template. Call it once per file and `after(() => database.close())`.
 *
 * Nobody drops it: `drop database … with (force)` kills connections that are still closing and fails
 * files at random. The cluster is thrown away as a whole; on an external one the suite's teardown
 * drops the databases of its run.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { template } = testClusterFromEnv()
  const connection = await createDatabase(template)
  // A test that kills its connections on purpose asserts what its statements answer, not this.
  const pools = openPools(connection, () => undefined)
  return { connection, pools, close: () => pools.close() }
}

/** A database in which nobody has migrated anything. */
export async function createEmptyDatabase(): Promise<Connection> {
  return await createDatabase('template0')
}

let made = 0

async function createDatabase(source: string): Promise<Connection> {
  const { connection, template } = testClusterFromEnv()
  made += 1
  const database = `${template}_${process.pid}_${made}`
  const client = new pg.Client(connection)
  await client.connect()
  try {
    await client.query(`create database ${database} template ${source}`)
  } finally {
    await client.end()
  }
  return { ...connection, database }
}
