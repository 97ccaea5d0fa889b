import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../../src/platform/db/migrate.ts'
import type { Connection } from '../../src/platform/db/pools.ts'
import { startTestCluster } from './cluster.ts'
import { testClusterToEnv } from './test-cluster-env.ts'

/**
 * Once per run of the suite: a PostgreSQL that is thrown away afterwards, and in it one migrated
 * database as the template of all others. `COUNTINGHOUSE_TEST_DATABASE_URL` points the suite at an
 * existing PostgreSQL 15 to 18 instead, as a superuser; there the run drops the databases it made.
 *
 * Has the shape that `node --test --test-global-setup` asks for.
 */

let stop: (() => Promise<void>) | undefined

export async function globalSetup(): Promise<void> {
  const url = process.env['COUNTINGHOUSE_TEST_DATABASE_URL']
  const template = `countinghouse_test_${randomBytes(4).toString('hex')}`
  const connection = url === undefined ? await startOwnCluster() : external(url, template)
  try {
    await query(connection, `create database ${template}`)
    await migrate({ ...connection, database: template })
    await query(connection, `alter database ${template} allow_connections false`)
  } catch (error) {
    await globalTeardown()
    throw error
  }
  testClusterToEnv({ connection, template })
}

export async function globalTeardown(): Promise<void> {
  await stop?.()
  stop = undefined
}

async function startOwnCluster(): Promise<Connection> {
  const cluster = await startTestCluster()
  stop = () => cluster.stop()
  return cluster.connection
}

function external(url: string, template: string): Connection {
  // `pg` itself reads the URL, so every form that the service takes works here too.
  const { host, port, user, password, ssl } = new pg.Client({ connectionString: url })
  const connection = {
    host,
    port,
    database: 'postgres',
    ...(user === undefined ? {} : { user }),
    ...(typeof password === 'string' ? { password } : {}),
    ...(ssl ? { ssl: true } : {}),
  }
  stop = () => dropDatabases(connection, template)
  return connection
}

async function dropDatabases(connection: Connection, prefix: string): Promise<void> {
  const names = await query(
    connection,
    `select datname from pg_database where starts_with(datname, '${prefix}')`,
  )
  for (const { datname } of names as { datname: string }[]) {
    await query(connection, `drop database ${datname} with (force)`)
  }
}

async function query(connection: Connection, text: string): Promise<unknown[]> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query(text)
    return rows
  } finally {
    await client.end()
  }
}
