import pg from 'pg'
import type { MigrationReport } from '../platform/db/migrate.ts'
import { makePartitions } from '../platform/db/partitions.ts'
import type { Connection } from '../platform/db/pools.ts'
import { type SchemaState, readSchemaState } from '../platform/db/schema-state.ts'
import { installJobs, jobsInstalled } from '../platform/jobs/install-jobs.ts'
import { StartError } from '../platform/start-error.ts'

/** Brings all that the database must hold up to date: our schemas, and the tables of the jobs. */
export async function migrateAll(connection: Connection): Promise<MigrationReport> {
  const current = await withClient(connection, async (client) => {
    const { pending, applied } = await readSchemaState(client)
    if (pending.length > 0 || !(await jobsInstalled(client))) return undefined
    // After a long pause the coming months are missing: before a row falls into the default one.
    await makePartitions(client)
    return { applied: [], total: applied }
  })
  if (current !== undefined) return current
  // Only now: the runner takes longer to import than a look at the database takes.
  const { migrate } = await import('../platform/db/migrate.ts')
  const report = await migrate(connection)
  await installJobs(connection)
  return report
}

/** What `migrateAll` would do: the names of migrations, and `jobs` for the tables of the jobs. */
export async function migrationStatus(connection: Connection): Promise<SchemaState> {
  return await withClient(connection, async (client) => {
    const { pending, applied } = await readSchemaState(client)
    return { pending: (await jobsInstalled(client)) ? pending : [...pending, 'jobs'], applied }
  })
}

/** @throws StartError when the database lacks what this release relies on. */
export async function schemaMustBeCurrent(connection: Connection): Promise<void> {
  const { pending } = await migrationStatus(connection)
  if (pending.length === 0) return
  throw new StartError(
    `The database lacks ${pending.length} of this release's migrations (${pending[0]} first). ` +
      'Run: countinghouse migrate, then start again.',
  )
}

async function withClient<Result>(
  connection: Connection,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(connection)
  client.on('error', () => undefined) // the statement in flight rejects with it
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
