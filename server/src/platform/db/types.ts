import type { Kysely } from 'kysely'
import type { DB } from './schema.gen.ts'

/** The connection of one open transaction. Only `inTransaction` and `inSnapshot` make one. */
export type Tx = Kysely<DB>

/** The same transaction, seen by one module: another module's table does not compile. */
export type TxOf<Schema extends string> = Kysely<Pick<DB, keyof DB & `${Schema}.${string}`>>

/** A handle whose statements run each on any free connection. */
export type Db = Kysely<DB>

export type { DB }
