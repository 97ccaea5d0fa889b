import pg, { type ClientConfig, type Pool } from 'pg'

/**
 * A pool per kind of work, because they must not starve each other: batches that move money, reads of
 * requests, sign-ins, claims of due work, and long reports. Each speaks as the role
 * `countinghouse_app`, which owns no table.
 */
export interface Pools {
  readonly money: Pool
  readonly read: Pool
  readonly identity: Pool
  readonly due: Pool
  readonly report: Pool
  close(): Promise<void>
}

export type Connection = Pick<
  ClientConfig,
  'host' | 'port' | 'user' | 'password' | 'database' | 'connectionString' | 'ssl'
>

// Every statement of the money pool is a look-up by key. A plan cached while tables were small
// would scan them for ever (a batch of 1,000 locks took 217 ms so).
const KEY_LOOKUPS = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
}

// A skewed tenant makes the planner sort a million due rows (385 ms); in index order 9 ms.
const INDEX_ORDER = { enable_bitmapscan: 'off', enable_sort: 'off' }

// Somebody waits for an answer, whose own deadlines are 20 s and 25 s.
const QUICK = { statementMs: 5_000, idleMs: 10_000 }

export function openPools(connection: Connection, onError: (error: Error) => void): Pools {
  const money = open(connection, onError, {
    max: 3,
    pipeline: true,
    settings: { ...KEY_LOOKUPS, ...timeouts(QUICK) },
  })
  const read = open(connection, onError, {
    max: 5,
    settings: { default_transaction_read_only: 'on', ...timeouts(QUICK) },
  })
  const identity = open(connection, onError, {
    max: 4,
    pipeline: true,
    settings: timeouts(QUICK),
  })
  const due = open(connection, onError, {
    max: 4,
    pipeline: true,
    settings: { ...INDEX_ORDER, ...timeouts({ statementMs: 60_000, idleMs: 15_000 }) },
  })
  const report = open(connection, onError, {
    max: 2,
    settings: {
      default_transaction_read_only: 'on',
      ...timeouts({ statementMs: 600_000, idleMs: 60_000 }),
    },
  })
  const all = [money, read, identity, due, report]
  return {
    money,
    read,
    identity,
    due,
    report,
    close: async () => {
      await Promise.all(all.map((pool) => pool.end()))
    },
  }
}

interface PoolShape {
  readonly max: number
  readonly pipeline?: boolean
  readonly settings: Readonly<Record<string, string>>
}

function open(connection: Connection, onError: (error: Error) => void, shape: PoolShape): Pool {
  const pool = new pg.Pool({
    ...connection,
    max: shape.max,
    pipeline: shape.pipeline ?? false,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 0,
    keepAlive: true,
    options: options({ role: 'countinghouse_app', timezone: 'UTC', ...shape.settings }),
    types: { getTypeParser: parserOf },
  })
  pool.on('error', onError)
  // A client in use that loses its connection emits on itself; unheard, it would end the process.
  pool.on('connect', (client) => client.on('error', onError))
  return pool
}

function options(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

// A lock waited for this long is a deadlock of ours or a stuck neighbour: run again instead.
const LOCK_MS = 2_000

/** What the server ends by itself: a statement, and a transaction that its client has left alone. */
function timeouts({ statementMs, idleMs }: { statementMs: number; idleMs: number }) {
  return {
    statement_timeout: `${statementMs}`,
    lock_timeout: `${LOCK_MS}`,
    idle_in_transaction_session_timeout: `${idleMs}`,
  }
}

const INT8 = 20
const INT8_ARRAY = 1016
const DATE = 1082

/** int8 becomes bigint, since money is; a date stays text, since a `Date` would move it by a zone. */
export function parserOf(oid: number, format?: 'text' | 'binary'): (text: never) => unknown {
  if (oid === INT8) return BigInt
  if (oid === DATE) return String as (text: never) => unknown
  if (oid === INT8_ARRAY) return bigints
  return pg.types.getTypeParser(oid, format) as (text: never) => unknown
}

function bigints(text: string): bigint[] {
  return text.length < 3 ? [] : text.slice(1, -1).split(',').map(BigInt)
}
