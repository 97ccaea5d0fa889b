import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase, Pool, PoolClient } from 'pg'
import { elapsed } from '../clock.ts'
import { transactionOver } from './dialect.ts'
import type { Tx } from './types.ts'

/**
 * The only place that says BEGIN and COMMIT.
 *
 * A closure may run more than once: when the database asks for it (deadlock, serialisation, lock
 * timeout), when the connection is lost, and when COMMIT ends in an error. The last is *unknown*:
 * the transaction may have committed. Looking proves nothing while the old backend may still be at
 * work; running again does, because every closure carries an idempotency row, a fence or a unique
 * key whose insert waits for the ghost. So a closure starts from its inputs and keeps nothing
 * outside.
 */

const MAX_TRIES = 5
const FIRST_PAUSE_MS = 10 // doubled each try, full jitter
const BUDGET_MS = 20_000 // beyond it the caller's own deadline (25 s) has no room left

export class CommitUnknown extends Error {
  constructor(cause: unknown) {
    super('COMMIT ended without a clear answer', { cause })
    this.name = 'CommitUnknown'
  }
}

/** The database cannot be used now: the caller answers 503 and the client may try again. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('the database is unavailable', { cause })
    this.name = 'DatabaseUnavailable'
  }
}

export async function inTransaction<Result>(
  pool: Pool,
  closure: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const deadline = elapsed() + BUDGET_MS
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(pool, closure)
    } catch (error) {
      const unknown = error instanceof CommitUnknown
      if (!unknown && !isTransient(error)) {
        throw isUnavailable(error) ? new DatabaseUnavailable(error) : error
      }
      const pause = FIRST_PAUSE_MS * 2 ** attempt
      // An unknown COMMIT is asked again until the budget ends: giving up early leaves it unknown.
      const spent = unknown ? elapsed() + pause > deadline : attempt >= MAX_TRIES
      if (spent) throw new DatabaseUnavailable(error)
      await sleep(jitter(Math.min(pause, 1_000)))
    }
  }
}

/** One REPEATABLE READ snapshot, read only: exports and checks. Not retried, may be long. */
export async function inSnapshot<Result>(
  pool: Pool,
  closure: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    const result = await closure(transactionOver(client))
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    client.release(true)
    throw error
  }
}

/** Runs `callback` once the transaction has committed; a hint only, since the process may die. */
export function afterCommit(tx: object, callback: () => void): void {
  workOf(tx).callbacks.push(callback)
}

/**
 * Sends a write without waiting for it: the next statement leaves in the same flush, and the runner
 * waits for all of them before it commits. A failed one rolls everything back.
 */
export function pipelined(tx: object, write: Promise<unknown>): void {
  write.catch(() => undefined)
  workOf(tx).writes.push(write)
}

/** A transaction that is open: its connection, and what it owes before and after COMMIT. */
interface Work {
  readonly client: ClientBase
  readonly callbacks: (() => void)[]
  /** Their results are looked at before COMMIT. */
  readonly writes: Promise<unknown>[]
  /** Their results decide nothing: COMMIT leaves right behind them. */
  readonly sent: Promise<unknown>[]
}

const works = new WeakMap<object, Work>()

/** The connection of an open transaction; undefined for any other handle. */
export function connectionOf(tx: object): ClientBase | undefined {
  return works.get(tx)?.client
}

/**
 * Notes a statement that was handed to the connection and whose result decides nothing. COMMIT leaves
 * in the same flush, which saves the batch a round trip: PostgreSQL turns a COMMIT behind a failed
 * statement into a ROLLBACK. The statement must be on its way when this is called.
 */
export function noteSent(tx: object, answer: Promise<unknown>): void {
  answer.catch(() => undefined)
  workOf(tx).sent.push(answer)
}

function workOf(tx: object): Work {
  const work = works.get(tx)
  if (work === undefined) throw new Error('not inside inTransaction')
  return work
}

async function runOnce<Result>(pool: Pool, closure: (tx: Tx) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  let broken = false
  let warned = false
  const onError = () => {
    broken = true
  }
  const onNotice = (notice: { severity?: string | undefined }) => {
    if (notice.severity === 'WARNING') warned = true
  }
  client.on('error', onError)
  client.on('notice', onNotice)
  try {
    const tx = transactionOver(client)
    const work: Work = { client, callbacks: [], writes: [], sent: [] }
    works.set(tx, work)
    // Not awaited: on a pipelined connection BEGIN travels with the closure's first statements.
    const begun = client.query('begin')
    begun.catch(() => undefined)
    const result = await rollBackOnError(
      client,
      begun,
      finished(() => closure(tx), work),
    )
    warned = false
    await commitAfter(client, work.sent)
    if (warned) throw new CommitUnknown(new Error('COMMIT came with a warning'))
    for (const callback of work.callbacks) callback()
    return result
  } catch (error) {
    broken ||= error instanceof CommitUnknown || !isServerAnswer(error)
    throw error
  } finally {
    client.off('error', onError)
    client.off('notice', onNotice)
    client.release(broken)
  }
}

// A closure that throws before its first await must be rolled back like any other: it runs in here.
async function finished<Result>(body: () => Promise<Result>, work: Work): Promise<Result> {
  const result = await body()
  await Promise.all(work.writes)
  return result
}

async function rollBackOnError<Result>(
  client: PoolClient,
  begun: Promise<unknown>,
  body: Promise<Result>,
): Promise<Result> {
  try {
    const [, result] = await Promise.all([begun, body])
    return result
  } catch (error) {
    // Statements already in the pipeline fail behind the first error; ROLLBACK queues after them.
    await client.query('rollback').catch(() => undefined)
    await body.catch(() => undefined)
    throw error
  }
}

/** COMMIT behind statements still on their way. What failed one of them is the fault, not the ROLLBACK. */
async function commitAfter(client: PoolClient, sent: readonly Promise<unknown>[]): Promise<void> {
  const [[committed], answers] = await Promise.all([
    Promise.allSettled([commit(client)]),
    Promise.allSettled(sent),
  ])
  for (const answer of answers) {
    // Without the server's word for it, a lost statement may have been followed by its COMMIT.
    if (answer.status === 'rejected' && sqlState(answer.reason) !== undefined) throw answer.reason
  }
  if (committed.status === 'rejected') throw committed.reason
  const lost = answers.find((answer) => answer.status === 'rejected')
  if (lost !== undefined) throw new CommitUnknown(lost.reason)
}

async function commit(client: PoolClient): Promise<void> {
  // statement_timeout must not cut the wait for a standby: the server would then say success.
  // A statement of its own: refused in a failed transaction, it would take COMMIT with it.
  const untimed = client.query('set local statement_timeout = 0')
  untimed.catch(() => undefined)
  let tag: string
  try {
    tag = (await client.query('commit')).command
  } catch (error) {
    throw new CommitUnknown(error)
  }
  // After a failed statement COMMIT "succeeds" with the tag ROLLBACK.
  if (tag !== 'COMMIT') throw new Error(`the transaction ended with ${tag}`)
}

const TRANSIENT = new Set(['40001', '40P01', '55P03', '57P01', '57P02', '57P03', '25006'])
const UNAVAILABLE = new Set(['53100', '53200', '53300', '57014'])

export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

function isTransient(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return TRANSIENT.has(state) || state.startsWith('08')
  return isConnectionLoss(error)
}

function isUnavailable(error: unknown): boolean {
  return UNAVAILABLE.has(sqlState(error) ?? '')
}

function isServerAnswer(error: unknown): boolean {
  return sqlState(error) !== undefined || !isConnectionLoss(error)
}

// `pg` reports a lost socket without an SQLSTATE: by errno, or by one of these sentences.
const LOST =
  /connection (terminated|ended|error)|Connection terminated|timeout exceeded when trying to connect|not queryable|read timeout/i
const SOCKET = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'ENOTFOUND',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_SOCKET_CLOSED',
])

function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return (typeof code === 'string' && SOCKET.has(code)) || LOST.test(error.message)
}

function jitter(limitMs: number): number {
  // Spread in time is all this needs; predictability harms nobody.
  return (elapsed() * 1_000) % Math.max(1, limitMs)
}
