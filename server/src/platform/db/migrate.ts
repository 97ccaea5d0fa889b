import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type MigrationBuilder, runner } from 'node-pg-migrate'
import pg from 'pg'
import { makePartitions } from './partitions.ts'
import { type Connection, parserOf } from './pools.ts'
import { MIGRATIONS_DIR } from './schema-state.ts'

export interface MigrationReport {
  /** Names of those that this run has applied. */
  readonly applied: readonly string[]
  /** How many the database has now. */
  readonly total: number
}

/**
 * Brings the schema up to date. Runs as the owner of the tables, on a connection of its own, since
 * the runner holds a session lock: of two nodes that start together the second waits.
 */
export async function migrate(connection: Connection): Promise<MigrationReport> {
  const client = new pg.Client({ ...connection, types: { getTypeParser: parserOf } })
  await client.connect()
  try {
    const applied = await runner({
      dbClient: client,
      dir: MIGRATIONS_DIR,
      direction: 'up',
      migrationsSchema: 'platform_migrations',
      createMigrationsSchema: true,
      migrationsTable: 'history',
      singleTransaction: false,
      advisoryLockMode: 'wait',
      migrationLoaderStrategies: [{ extensions: ['.sql'], loader: loadSql }],
      log: () => undefined,
    })
    await makePartitions(client)
    const { rows } = await client.query(
      'select count(*)::int as total from platform_migrations.history',
    )
    return { applied: applied.map(({ name }) => name), total: (rows[0] as { total: number }).total }
  } finally {
    await client.end()
  }
}

/** A file headed `-- transaction: none` holds one statement that refuses to run in a transaction. */
async function loadSql(filePaths: string[]): Promise<MigrationUnit[]> {
  return await Promise.all(
    filePaths.map(async (path) => {
      const text = await readFile(path, 'utf8')
      const up = (pgm: MigrationBuilder) => {
        if (text.startsWith('-- transaction: none')) pgm.noTransaction()
        pgm.sql(text)
      }
      return {
        id: basename(path, '.sql'),
        filePaths: [path],
        actions: { up, down: false as const },
      }
    }),
  )
}

interface MigrationUnit {
  id: string
  filePaths: string[]
  actions: { up: (pgm: MigrationBuilder) => void; down: false }
}
