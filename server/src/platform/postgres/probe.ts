import pg from 'pg'
import { SUPERUSER } from './create-cluster.ts'
import { SOCKET_PORT } from './server-command.ts'

/** The part of a pg client's configuration that names a database of the embedded cluster. */
export interface Connection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly ssl: false
}

/** Complete, so that no PGPORT, PGUSER or PGSSLMODE of the environment gets in. */
export function connectionTo(
  { socketDir }: { readonly socketDir: string },
  database: string,
): Connection {
  return { host: socketDir, port: SOCKET_PORT, user: SUPERUSER, database, ssl: false }
}

const CONNECT_MS = 5_000

/** Lends a connection and closes it; a connection lost meanwhile rejects instead of crashing us. */
export async function withClient<Result>(
  connection: Connection,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: CONNECT_MS })
  client.on('error', () => undefined) // the query in flight rejects with the same error
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

export interface Answer {
  readonly systemIdentifier: string
  readonly version: string
}

/** Who answers on the socket; undefined while nobody does or the server says that it is not ready. */
export async function probe(socketDir: string): Promise<Answer | undefined> {
  try {
    return await withClient(connectionTo({ socketDir }, 'postgres'), async (client) => {
      const { rows } = await client.query<{ id: string; version: string }>(
        `select system_identifier::text as id, current_setting('server_version') as version
         from pg_control_system()`,
      )
      const [row] = rows
      if (row === undefined) throw new Error('pg_control_system() answered nothing.')
      return { systemIdentifier: row.id, version: row.version }
    })
  } catch (error) {
    if (isNotReady(error)) return undefined
    throw error
  }
}

// EINVAL: the path is too long for a socket, so nobody listens there.
const NOBODY = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EINVAL']
// Starting up, recovering or shutting down; shut down under our query; all connections taken.
const BUSY = ['57P03', '57P01', '57P02', '53300']
const NOT_READY = new Set([...NOBODY, ...BUSY])

function isNotReady(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return NOT_READY.has(code ?? '') || /timeout|Connection terminated/.test(message ?? '')
}
