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

let made = 0

/**
 * Clones the migrated template. Call it once per file and `after(() => database.close())`.
 *
 * Nobody drops it: `drop database … with (force)` kills connections that are still closing and fails
 * files at random. The cluster is thrown away as a whole; on an external one the suite's teardown
 * drops the databases of its run.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const cluster = testClusterFromEnv()
  made += 1
  const name = `${cluster.template}_${process.pid}_${made}`
  const owner = new pg.Client(cluster.connection)
  await owner.connect()
  try {
    await owner.query(`create database ${name} template ${cluster.template}`)
  } finally {
    await owner.end()
  }
  const connection = { ...cluster.connection, database: name }
  // A test that kills its connections on purpose asserts what its statements answer, not this.
  const pools = openPools(connection, () => undefined)
  return { connection, pools, close: () => pools.close() }
}
