import { type Element, binaryArray } from './binary-arrays.ts'
import type { ClientBase } from 'pg'
import { type CompiledQuery, RawNode, createQueryId } from 'kysely'
import { statementName } from './dialect.ts'
import { connectionOf, noteSent } from './transaction.ts'

/** Anything that runs a compiled query: a transaction, whole or narrowed to a module, or the pool. */
interface Runner {
  executeQuery<Row>(
    query: CompiledQuery<Row>,
  ): Promise<{ rows: Row[]; numAffectedRows?: bigint | undefined }>
}

export interface Rows<Row> {
  readonly rows: Row[]
  /** Rows returned by a query, or touched by a write. */
  readonly count: number
}

/** A value of a statement; an array where the SQL casts to one (`$1::uuid[]`). */
export type Parameter = Exclude<Element, object> | Date | Uint8Array | readonly Element[]

export interface Statement<Row> {
  (tx: Runner, ...values: readonly Parameter[]): Promise<Rows<Row>>
  /**
   * Hands a write over whose result decides nothing. It throws at once what cannot be sent; what the
   * database makes of it is heard with COMMIT, which leaves right behind it.
   */
  send(tx: object, ...values: readonly Parameter[]): void
}

/**
 * One statement of a hot path, written once as SQL with `$1, $2 …` and sent by name. A set is passed
 * as one array per column, and travels in binary by the cast that the SQL gives it.
 */
export function statement<Row = never>(text: string): Statement<Row> {
  const sql = text.trim()
  const node = RawNode.createWithSql(sql)
  const elementTypes = elementTypesOf(sql)

  function parametersOf(values: readonly Parameter[]) {
    return values.map((value, index) => {
      if (!Array.isArray(value)) return value
      return binaryArray(elementTypes.get(index + 1) ?? 'nothing', value as readonly Element[])
    })
  }

  // In a transaction it leaves within this very call, so that what is asked later leaves later.
  function query(client: ClientBase, values: readonly Parameter[]) {
    const name = statementName(sql)
    const named = name === undefined ? {} : { name }
    return client.query({ ...named, text: sql, values: parametersOf(values) })
  }

  async function run(tx: Runner, ...values: readonly Parameter[]): Promise<Rows<Row>> {
    const client = connectionOf(tx)
    if (client !== undefined) {
      const { rows, rowCount } = await query(client, values)
      return { rows: rows as Row[], count: rowCount ?? rows.length }
    }
    const compiled = {
      sql,
      parameters: parametersOf(values),
      query: node,
      queryId: createQueryId(),
    }
    const { rows, numAffectedRows } = await tx.executeQuery<Row>(compiled)
    return { rows, count: Number(numAffectedRows ?? rows.length) }
  }

  function send(tx: object, ...values: readonly Parameter[]): void {
    const client = connectionOf(tx)
    if (client === undefined) throw new Error('not inside inTransaction')
    noteSent(tx, query(client, values))
  }

  return Object.assign(run, { send })
}

function elementTypesOf(sql: string): Map<number, string> {
  const casts = sql.matchAll(/\$(\d+)::(\w+)\[\]/g)
  return new Map([...casts].map(([, number, type]) => [Number(number), type as string]))
}

/** Proves that a write touched what the lock promised. Anything else is a bug and rolls back. */
export function expectCount(what: string, { count }: { count: number }, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${expected} rows expected, ${count} touched`)
}
