import pg from 'pg'
import packageJson from 'pg-boss/package.json' with { type: 'json' }
import type { Connection } from '../db/pools.ts'

/** The schema that pg-boss keeps its tables in. */
export const JOBS_SCHEMA = 'pgboss'

const INSTALLING = 5_240_713 // any number that nothing else locks
const WANTED = packageJson.pgboss.schema

/**
 * Installs or upgrades pg-boss's tables, as their owner, and lets the service's role use them. Part
 * of `countinghouse migrate`: the roles that work with jobs change no table.
 */
export async function installJobs(connection: Connection): Promise<void> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    // Of two nodes that start together one waits here and finds it done. Ends with the connection.
    await client.query('select pg_advisory_lock($1)', [INSTALLING])
    const version = await installedVersion(client)
    if (version === WANTED) return
    // Only here: an up-to-date start does not pay for the import.
    const { getConstructionPlans, getMigrationPlans } = await import('pg-boss')
    await client.query(
      version === undefined
        ? getConstructionPlans(JOBS_SCHEMA)
        : getMigrationPlans(JOBS_SCHEMA, version),
    )
    await client.query(GRANTS)
  } finally {
    await client.end()
  }
}

/** Whether the tables are there in the version that this code speaks. */
export async function jobsInstalled(client: pg.ClientBase): Promise<boolean> {
  return (await installedVersion(client)) === WANTED
}

async function installedVersion(client: pg.ClientBase): Promise<number | undefined> {
  const there = await client.query(`select to_regclass('${JOBS_SCHEMA}.version') as name`)
  if ((there.rows[0] as { name: string | null }).name === null) return undefined
  const { rows } = await client.query<{ version: number }>(
    `select version from ${JOBS_SCHEMA}.version`,
  )
  return rows[0]?.version
}

const GRANTS = `
  grant usage on schema ${JOBS_SCHEMA} to countinghouse_app;
  grant select, insert, update, delete on all tables in schema ${JOBS_SCHEMA} to countinghouse_app;
  grant usage on all sequences in schema ${JOBS_SCHEMA} to countinghouse_app;
  grant execute on all functions in schema ${JOBS_SCHEMA} to countinghouse_app`
