import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ClientBase } from 'pg'

/** The numbered history of the schema: forward only, one concern a file. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations', import.meta.url))

export interface SchemaState {
  /** Names of this release's migrations that the database lacks. */
  readonly pending: readonly string[]
  /** How many it has, those of a newer release included. */
  readonly applied: number
}

export async function readSchemaState(client: Pick<ClientBase, 'query'>): Promise<SchemaState> {
  const applied = await appliedNames(client)
  const files = (await readdir(MIGRATIONS_DIR)).filter((name) => name.endsWith('.sql'))
  const names = files.map((name) => name.slice(0, -'.sql'.length)).toSorted()
  return { pending: names.filter((name) => !applied.has(name)), applied: applied.size }
}

async function appliedNames(client: Pick<ClientBase, 'query'>): Promise<ReadonlySet<string>> {
  const there = await client.query<{ found: string | null }>(
    `select to_regclass('platform_migrations.history')::text as found`,
  )
  if (there.rows[0]?.found === null) return new Set()
  const { rows } = await client.query<{ name: string }>(
    'select name from platform_migrations.history',
  )
  return new Set(rows.map(({ name }) => name))
}
