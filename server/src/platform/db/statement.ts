import { type Element, binaryArray } from './binary-arrays.ts'
import { type CompiledQuery, RawNode, createQueryId } from 'kysely'

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

/**
 * One statement of a hot path, written once as SQL with `$1, $2 …` and sent by name. A set is passed
 * as one array per column, and travels in binary by the cast that the SQL gives it.
 */
export function statement<Row = never>(
  text: string,
): (tx: Runner, ...values: readonly Parameter[]) => Promise<Rows<Row>> {
  const sql = text.trim()
  const query = RawNode.createWithSql(sql)
  const elementTypes = elementTypesOf(sql)
  return async (tx, ...values) => {
    const parameters = values.map((value, index) => {
      if (!Array.isArray(value)) return value
      return binaryArray(elementTypes.get(index + 1) ?? 'nothing', value as readonly Element[])
    })
    const compiled = { sql, parameters, query, queryId: createQueryId() } as CompiledQuery<Row>
    const { rows, numAffectedRows } = await tx.executeQuery<Row>(compiled)
    return { rows, count: Number(numAffectedRows ?? rows.length) }
  }
}

function elementTypesOf(sql: string): Map<number, string> {
  const casts = sql.matchAll(/\$(\d+)::(\w+)\[\]/g)
  return new Map([...casts].map(([, number, type]) => [Number(number), type as string]))
}

/** Proves that a write touched what the lock promised. Anything else is a bug and rolls back. */
export function expectCount(what: string, { count }: { count: number }, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${expected} rows expected, ${count} touched`)
}
