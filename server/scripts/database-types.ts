import { Kysely, PostgresDialect } from 'kysely'
import { generate, getDialect } from 'kysely-codegen'
import pg from 'pg'
import type { Connection } from '../src/platform/db/pools.ts'

/** The TypeScript types of every table, as kysely-codegen prints them: `'payments.payments'` … */
export async function databaseTypes(connection: Connection): Promise<string> {
  const pool = new pg.Pool({ ...connection, max: 1 })
  // The generator lets go of its connection late; the cluster may end before, and that is no fault.
  pool.on('error', () => undefined)
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await generate({
      db,
      dialect: getDialect('postgres', { dateParser: 'string' }),
      typeMapping: { int8: 'bigint' },
      // No table is in it, so every key keeps its schema.
      defaultSchemas: ['nothing'],
      excludePattern: '{pgboss,platform_migrations}.*',
    })
  } finally {
    await db.destroy()
  }
}
