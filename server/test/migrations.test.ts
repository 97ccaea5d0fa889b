import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { migrate } from '../src/platform/db/migrate.ts'
import type { Connection } from '../src/platform/db/pools.ts'
import { createEmptyDatabase } from './support/database.ts'
import { readMigrations, schemasOf } from './support/migration-files.ts'

const files = readMigrations()

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
  const database = await createEmptyDatabase()
  assert.deepEqual(await migrate(database), { applied: names, total: names.length })
  assert.deepEqual(await migrate(database), { applied: [], total: names.length })
  const schemas = await firstColumn(database, 'select nspname from pg_namespace')
  for (const schema of schemasOf(files)) assert.ok(schemas.includes(schema), schema)
})

test('of two nodes that start together one migrates and the other waits for it', async () => {
  const database = await createEmptyDatabase()
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
  const database = await createEmptyDatabase()
  await migrate(database)
  const parents = await firstColumn(
    database,
    `select inhparent::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhparent
      where c.relkind = 'p' group by inhparent having count(*) < 4`,
  )
  assert.deepEqual(parents, [], 'this month, two ahead and a default')
})
