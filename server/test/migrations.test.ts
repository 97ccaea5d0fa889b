import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { migrate } from '../src/platform/db/migrate.ts'
import type { Connection } from '../src/platform/db/pools.ts'
import { readMigrations, schemasOf } from './support/migration-files.ts'
import { testClusterFromEnv } from './support/test-cluster-env.ts'

const files = readMigrations()
const { connection: cluster, template } = testClusterFromEnv()

/** An empty database, in which nobody has migrated anything. */
async function createEmptyDatabase(name: string): Promise<Connection> {
  const database = `${template}_${name}_${process.pid}`
  const client = new pg.Client(cluster)
  await client.connect()
  try {
    await client.query(`create database ${database} template template0`)
  } finally {
    await client.end()
  }
  return { ...cluster, database }
}

async function firstColumn(connection: Connection, text: string): Promise<unknown[]> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' })
    return rows.map(([value]) => value)
  } finally {
    await client.end()
  }
}

const names = files.map(({ path }) => path.replace('.sql', ''))

test('an empty database gets the whole history, once', async () => {
  const database = await createEmptyDatabase('fresh')
  assert.deepEqual(await migrate(database), { applied: names, total: names.length })
  assert.deepEqual(await migrate(database), { applied: [], total: names.length })
  const schemas = await firstColumn(database, 'select nspname from pg_namespace')
  for (const schema of schemasOf(files)) assert.ok(schemas.includes(schema), schema)
})

test('of two nodes that start together one migrates and the other waits for it', async () => {
  const database = await createEmptyDatabase('twice')
  const reports = await Promise.all([migrate(database), migrate(database)])
  const applied = reports.map((report) => report.applied.length)
  assert.deepEqual(
    applied.toSorted((a, b) => a - b),
    [0, names.length],
  )
  assert.deepEqual(
    reports.map(({ total }) => total),
    [names.length, names.length],
  )
})

test('partitions of this month and the next are there, and rows of any other time have a place', async () => {
  const database = await createEmptyDatabase('months')
  await migrate(database)
  const parents = await firstColumn(
    database,
    `select inhparent::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhparent
      where c.relkind = 'p' group by inhparent having count(*) < 4`,
  )
  assert.deepEqual(parents, [], 'this month, two ahead and a default')
})
