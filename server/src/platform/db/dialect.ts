import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type { ClientBase, Pool } from 'pg'
import type { DB, Db, Tx } from './types.ts'

/**
 * Kysely over connections that `pg` owns. Two differences from Kysely's own dialect: every
 * statement is sent by name, so PostgreSQL parses and plans it once per connection, and a
 * transaction's BEGIN and COMMIT stay with `inTransaction`, which must see how COMMIT ends.
 */

// Each name costs every connection a prepared plan. Beyond this many texts something builds SQL
// of endless variety, and the rest goes unnamed.
const MAX_NAMED = 2_000
const names = new Map<string, string>()

export function statementName(text: string): string | undefined {
  let name = names.get(text)
  if (name === undefined && names.size < MAX_NAMED) {
    name = `q${names.size}`
    names.set(text, name)
  }
  return name
}

class NamedConnection implements DatabaseConnection {
  readonly client: ClientBase
  readonly release: () => void

  constructor(client: ClientBase, release: () => void) {
    this.client = client
    this.release = release
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const name = statementName(query.sql)
    const result = await this.client.query({
      ...(name === undefined ? {} : { name }),
      text: query.sql,
      values: query.parameters as unknown[],
    })
    return { rows: result.rows as Row[], numAffectedRows: BigInt(result.rowCount ?? 0) }
  }

  // oxlint-disable-next-line require-yield -- the interface asks for a generator that we refuse to be
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('cursors are not used here: page by key instead')
  }
}

function dialect(acquire: () => Promise<NamedConnection>): Dialect {
  const driver: Driver = {
    init: () => Promise.resolve(),
    acquireConnection: acquire,
    releaseConnection: (connection) => {
      ;(connection as NamedConnection).release()
      return Promise.resolve()
    },
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: () => Promise.resolve(),
  }
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('transactions are opened by inTransaction'))
}

/** Lends Kysely the one connection of an open transaction. */
export function transactionOver(client: ClientBase): Tx {
  const connection = new NamedConnection(client, () => undefined)
  return new Kysely<DB>({ dialect: dialect(() => Promise.resolve(connection)) })
}

/** Every statement on any free connection of the pool; for reads that stand alone. */
export function databaseOver(pool: Pool): Db {
  return new Kysely<DB>({
    dialect: dialect(async () => {
      const client = await pool.connect()
      return new NamedConnection(client, () => client.release())
    }),
  })
}
