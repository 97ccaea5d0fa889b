import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { printSchema } from '../scripts/print-schema.ts'
import type { Connection } from '../src/platform/db/pools.ts'
import { createEmptyDatabase, createTestDatabase } from './support/database.ts'
import { readMigrations, schemasOf } from './support/migration-files.ts'

const schemas = [...schemasOf(readMigrations())]

async function withClient<Result>(
  connection: Connection,
  act: (client: pg.Client) => Promise<Result>,
) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}

test('schema.sql leaves nothing out: a database made from it prints the same', async () => {
  const database = await createTestDatabase()
  await database.close()
  const printed = await withClient(database.connection, (client) =>
    printSchema(client, schemas, 'countinghouse_app'),
  )
  assert.match(printed, /create table payments\.payments \(/)
  assert.doesNotMatch(printed, /_y20\d\dm\d\d/, 'no partition of a month')
  const again = await withClient(await createEmptyDatabase(), async (client) => {
    await client.query(printed)
    return await printSchema(client, schemas, 'countinghouse_app')
  })
  assert.equal(again, printed)
})
