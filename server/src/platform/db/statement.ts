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

/**
 * One statement of a hot path, written once as SQL with `$1, $2 …` and sent by name. Sets travel as
 * array literals (see `arrays.ts`), one parameter per column.
 */
export function statement<Row = never>(
  text: string,
): (tx: Runner, ...values: readonly unknown[]) => Promise<Rows<Row>> {
  const sql = text.trim()
  const query = RawNode.createWithSql(sql)
  return async (tx, ...parameters) => {
    const compiled = { sql, parameters, query, queryId: createQueryId() } as CompiledQuery<Row>
    const { rows, numAffectedRows } = await tx.executeQuery<Row>(compiled)
    return { rows, count: Number(numAffectedRows ?? rows.length) }
  }
}

/** Proves that a write touched what the lock promised. Anything else is a bug and rolls back. */
export function expectCount(what: string, { count }: { count: number }, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${expected} rows expected, ${count} touched`)
}
