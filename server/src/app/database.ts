import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'
import type { Settings } from '../platform/config/settings.ts'
import type { Connection } from '../platform/db/pools.ts'
import { DATABASE, connectionTo, findEmbedded, startEmbedded } from '../platform/postgres/index.ts'
import { StartError } from '../platform/start-error.ts'
import { shown } from './banner.ts'

export interface Database {
  readonly connection: Connection
  /** For the banner: `PostgreSQL 18.4 (embedded, .countinghouse/pg)`. */
  readonly description: string
  /** Stops the embedded server; leaves anybody else's alone. */
  stop(): Promise<void>
}

/** The database of DATABASE_URL, or the embedded one, started. The data directory is locked. */
export async function openDatabase(
  { databaseUrl, dataDir }: Settings,
  { directory, logger }: { readonly directory: string; readonly logger: FastifyBaseLogger },
): Promise<Database> {
  if (databaseUrl !== undefined) return await external(databaseUrl)
  const embedded = await startEmbedded({ dataDir, report: (line) => logger.warn(line) })
  return {
    connection: connectionTo(embedded, DATABASE),
    description: `PostgreSQL ${embedded.version} (embedded, ${shown(join(dataDir, 'pg'), directory)})`,
    stop: () => embedded.stop(),
  }
}

/** The database that `start` runs on this data directory, or that of DATABASE_URL: only used. */
export async function findDatabase({ databaseUrl, dataDir }: Settings): Promise<Database> {
  if (databaseUrl !== undefined) return await external(databaseUrl)
  const connection = await findEmbedded(dataDir)
  return { connection, description: 'PostgreSQL (embedded)', stop: () => Promise.resolve() }
}

const CONNECT_MS = 4_000
const OLDEST = 15

async function external(connectionString: string): Promise<Database> {
  const version = await versionOf(connectionString)
  const major = Math.floor(version / 10_000)
  const place = placeOf(connectionString)
  if (major < OLDEST) {
    throw new StartError(
      `The database ${place} is PostgreSQL ${major}; Countinghouse needs ${OLDEST} to 18.`,
    )
  }
  return {
    connection: { connectionString },
    description: `PostgreSQL ${major}.${version % 10_000} (${place})`,
    stop: () => Promise.resolve(),
  }
}

async function versionOf(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_MS })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    )
    return rows[0]?.version ?? 0
  } catch (error) {
    throw new StartError(
      `The database ${placeOf(connectionString)} of DATABASE_URL cannot be used: ${reasonOf(error)}. ` +
        'Check that it runs and that the URL is right, then start again.',
      { cause: error },
    )
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Host and name, without user and password. */
function placeOf(connectionString: string): string {
  const { host, pathname, searchParams } = new URL(connectionString)
  return `${host || searchParams.get('host') || 'localhost'}${pathname}`
}

// A name with several addresses fails with one error for each.
function reasonOf(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  return first instanceof Error ? first.message : String(first)
}
