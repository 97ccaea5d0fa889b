import type { Connection } from '../../src/platform/db/pools.ts'

/** What the suite's global setup tells each test process. */
export interface TestCluster {
  /** To the maintenance database of the cluster, as a role that may create databases. */
  readonly connection: Connection
  /** The migrated database that every test database is cloned from. */
  readonly template: string
}

const VARIABLE = 'COUNTINGHOUSE_TEST_CLUSTER'

export function testClusterToEnv(cluster: TestCluster): void {
  process.env[VARIABLE] = JSON.stringify(cluster)
}

export function testClusterFromEnv(): TestCluster {
  const text = process.env[VARIABLE]
  if (text === undefined) {
    throw new Error('no test database server: run this file with `npm run test:file -- PATH`')
  }
  return JSON.parse(text) as TestCluster
}
