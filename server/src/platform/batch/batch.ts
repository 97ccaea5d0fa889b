import type { Pool } from 'pg'
import type { Answer } from '../answer.ts'
import { elapsed } from '../clock.ts'
import type { Asked, Command } from '../command.ts'
import { inTransaction, sqlState } from '../db/transaction.ts'
import type { Outcome } from '../errors.ts'
import { refuse } from './batch.errors.ts'
import { execute } from './execute.ts'
import type { IdempotencyTicket } from './idempotency.queries.ts'
import type { Decision, Item } from './item.ts'

/**
 * Gathers what arrives while a batch is in flight and runs it as one transaction.
 *
 * There is no timer: an idle request starts at once and waits for nothing but its own commit. Under
 * load the batch grows by itself, which is what makes a hot account cheap: one update per account
 * per batch, however many items touch it. A process that dies leaves either the whole batch with
 * its answers or nothing; the client's retry under the same key finds out which.
 */

// More: the locks are held longer and the planner leaves the indexes. Fewer: more commits per item.
const MAX_WEIGHT = 500
const MAX_IN_FLIGHT = 2
// A second batch opened too early halves both (measured 7-35 % more CPU at 64 connections).
const SECOND_BATCH_FROM = 64
const MAX_WAITING = 5_000
const MAX_WAIT_MS = 2_000

export interface Submission<Value> {
  readonly idempotency?: IdempotencyTicket
  /** Renders the outcome inside the transaction, so that the very bytes can be stored with it. */
  readonly answer: (outcome: Outcome<Value>) => Answer
}

export interface Batcher {
  /** One request of a client. Rejects only with a fault: refusals are answers. */
  submit<Input, Value, Held>(
    command: Command<Input, Value, Held>,
    request: Asked<Input>,
    submission: Submission<Value>,
  ): Promise<Answer>
  /** One item of a worker: no key, the outcome itself. */
  perform<Input, Value, Held>(
    command: Command<Input, Value, Held>,
    request: Asked<Input>,
  ): Promise<Outcome<Value>>
  /** Resolves once nothing waits and nothing runs. */
  drain(): Promise<void>
}

/** A request that is being answered: the same one again, here, waits for the same answer. */
interface KeyInFlight {
  readonly fingerprint: string
  readonly answer: Promise<Answer>
}

interface Lane {
  readonly command: Command<never, unknown, unknown>
  readonly items: Item<never, unknown>[]
}

export function createBatcher(pool: Pool): Batcher {
  const lanes = new Map<string, Lane>()
  const keysInFlight = new Map<string, KeyInFlight>()
  const idle: (() => void)[] = []
  let inFlight = 0
  let waiting = 0
  let scheduled = false

  function enqueue(command: Command<never, unknown, unknown>, item: Item<never, unknown>): void {
    const name =
      command.mixesTenants === true ? command.name : `${command.name} ${item.request.tenantId}`
    let lane = lanes.get(name)
    if (lane === undefined) {
      lane = { command, items: [] }
      lanes.set(name, lane)
    }
    lane.items.push(item)
    waiting += 1
    schedule()
  }

  // setImmediate, not a timer: it runs when every socket that is ready now has been read.
  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(pump)
  }

  function pump(): void {
    scheduled = false
    while (
      waiting > 0 &&
      (inFlight === 0 || (inFlight < MAX_IN_FLIGHT && waiting >= SECOND_BATCH_FROM))
    ) {
      start()
    }
    if (waiting === 0 && inFlight === 0) for (const resolve of idle.splice(0)) resolve()
  }

  function start(): void {
    const [name, lane] = lanes.entries().next().value as [string, Lane]
    const batch = take(lane)
    // To the back of the queue: commands and tenants take turns.
    lanes.delete(name)
    if (lane.items.length > 0) lanes.set(name, lane)
    waiting -= batch.length
    inFlight += 1
    void run(pool, lane.command, batch).finally(() => {
      inFlight -= 1
      schedule()
    })
  }

  function isOverloaded(): boolean {
    if (waiting >= MAX_WAITING) return true
    const oldest = lanes.values().next().value?.items[0]
    return oldest !== undefined && elapsed() - oldest.since > MAX_WAIT_MS
  }

  return {
    submit(command, request, { idempotency, answer }) {
      const key = idempotency && keyOf(request.tenantId, idempotency)
      const running = key === undefined ? undefined : keysInFlight.get(key)
      if (running !== undefined) {
        return running.fingerprint === idempotency?.fingerprint
          ? running.answer.then((given) => ({ ...given, replayed: true }))
          : Promise.resolve(answer(refuse('idempotency_key_reused')))
      }
      if (isOverloaded()) return Promise.resolve(answer(refuse('overloaded')))
      const answered = new Promise<Answer>((resolve, reject) => {
        enqueue(command as never, {
          request: request as Asked<never>,
          ticket: idempotency,
          render: answer as (outcome: Outcome<unknown>) => Answer,
          settle: (decision) => resolve(decision.answer as Answer),
          fail: reject,
          weight: command.weight?.(request.input) ?? 1,
          since: elapsed(),
        })
      })
      if (idempotency === undefined || key === undefined) return answered
      const settled = answered.finally(() => keysInFlight.delete(key))
      keysInFlight.set(key, { fingerprint: idempotency.fingerprint, answer: settled })
      return settled
    },
    perform<Input, Value, Held>(command: Command<Input, Value, Held>, request: Asked<Input>) {
      return new Promise<Outcome<Value>>((resolve, reject) => {
        enqueue(command as never, {
          request: request as Asked<never>,
          ticket: undefined,
          render: noAnswer,
          settle: ({ outcome }) => resolve(outcome as Outcome<Value>),
          fail: reject,
          weight: command.weight?.(request.input) ?? 1,
          since: elapsed(),
        })
      })
    },
    drain() {
      if (waiting === 0 && inFlight === 0) return Promise.resolve()
      return new Promise((resolve) => idle.push(resolve))
    },
  }
}

function keyOf(tenantId: string, { principal, key }: IdempotencyTicket): string {
  return `${tenantId} ${principal} ${key}`
}

const NO_ANSWER: Answer = { status: 204, body: '' }
function noAnswer(): Answer {
  return NO_ANSWER
}

function take({ items }: Lane): Item<never, unknown>[] {
  let weight = 0
  let count = 0
  for (const item of items) {
    if (count > 0 && weight + item.weight > MAX_WEIGHT) break
    weight += item.weight
    count += 1
  }
  return items.splice(0, count)
}

/**
 * Runs a batch to its end. An item that breaks the transaction is found by halving, so that it alone
 * fails; one lost race on a unique index is simply run again, since the winner is visible by then.
 */
async function run(
  pool: Pool,
  command: Command<never, unknown, unknown>,
  items: Item<never, unknown>[],
  raced = false,
): Promise<void> {
  let decisions: Decision<unknown>[]
  try {
    decisions = await inTransaction(pool, (tx) => execute(tx, command, items))
  } catch (error) {
    if (sqlState(error) === '23505' && !raced) return run(pool, command, items, true)
    if (items.length === 1 || !isItemFault(error)) {
      for (const { fail } of items) fail(error)
      return
    }
    const half = items.length >> 1
    await run(pool, command, items.slice(0, half), raced)
    await run(pool, command, items.slice(half), raced)
    return
  }
  for (const [index, item] of items.entries()) item.settle(decisions[index] as Decision<unknown>)
}

/** A data error or a broken invariant belongs to some item; a lost database belongs to none. */
function isItemFault(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('22') || state.startsWith('23')
  return !(error instanceof Error && error.name === 'DatabaseUnavailable')
}
