import type { Pool } from 'pg'
import type { Answer } from '../answer.ts'
import { elapsed } from '../clock.ts'
import type { Asked, Command } from '../command.ts'
import type { Outcome } from '../errors.ts'
import { refuse } from './batch.errors.ts'
import type { IdempotencyTicket } from './idempotency.queries.ts'
import type { Decision, Item } from './item.ts'
import { createLanes } from './lanes.ts'
import { type Settled, runBatch } from './run-batch.ts'

/**
 * Gathers what arrives while a batch is in flight and runs it as one transaction.
 *
 * There is no timer: an idle request starts at once and waits for nothing but its own commit. Under
 * load the batch grows by itself, which is what makes a hot account cheap: one update per account
 * per batch, however many items touch it. A process that dies leaves either the whole batch with
 * its answers or nothing; the client's retry under the same key finds out which.
 */

const MAX_IN_FLIGHT = 2 // one is decided while the other commits; a third would wait for their locks
// A second batch opened too early halves both (measured 7-35 % more CPU at 64 connections).
const SECOND_BATCH_FROM = 64
// Ten full batches. More would be answered after their callers had given up; fewer turns bursts away.
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

/** How an item is answered, and what of the decision its caller wants. */
interface Wish<Value, Result> {
  readonly ticket: IdempotencyTicket | undefined
  readonly render: (outcome: Outcome<Value>) => Answer
  readonly shape: (decision: Decision<Value>) => Result
}

export function createBatcher(pool: Pool): Batcher {
  const lanes = createLanes()
  const keysInFlight = new Map<string, KeyInFlight>()
  const idle: (() => void)[] = []
  let inFlight = 0
  let scheduled = false

  // setImmediate, not a timer: it runs when every socket that is ready now has been read.
  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(pump)
  }

  function pump(): void {
    scheduled = false
    while (lanes.count > 0 && inFlight < (lanes.weight >= SECOND_BATCH_FROM ? MAX_IN_FLIGHT : 1)) {
      start()
    }
    if (lanes.count === 0 && inFlight === 0) for (const resolve of idle.splice(0)) resolve()
  }

  function start(): void {
    const { command, items } = lanes.take()
    inFlight += 1
    void runBatch(pool, command, items).then((settled) => {
      inFlight -= 1
      // The next batch leaves before these answers are sent: the database works while we write.
      pump()
      setImmediate(settle, settled)
    })
  }

  function isOverloaded(): boolean {
    const since = lanes.nextSince()
    return lanes.count >= MAX_WAITING || (since !== undefined && elapsed() - since > MAX_WAIT_MS)
  }

  /** Queues one item; what it settles with is shaped by the caller. */
  function enqueue<Input, Value, Held, Result>(
    command: Command<Input, Value, Held>,
    request: Asked<Input>,
    { ticket, render, shape }: Wish<Value, Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const item: Item<Input, Value> = {
        request,
        ticket,
        render,
        settle: (decision) => resolve(shape(decision)),
        fail: reject,
        weight: command.weight?.(request.input) ?? 1,
        since: elapsed(),
      }
      // A lane holds one command's items only, so their types meet again when it runs.
      lanes.add(command as never, item as never)
      schedule()
    })
  }

  return {
    submit(command, request, { idempotency, answer }) {
      const key = idempotency && keyOf(request.tenantId, idempotency)
      const running = key === undefined ? undefined : keysInFlight.get(key)
      const ask = () =>
        enqueue(command, request, {
          ticket: idempotency,
          render: answer,
          shape: (decision) => decision.answer as Answer,
        })
      if (running !== undefined) {
        if (running.fingerprint !== idempotency?.fingerprint) {
          return Promise.resolve(answer(refuse('idempotency_key_reused')))
        }
        // One key may come under two grants: a command that looks at them sees each repetition.
        if (command.replayFault !== undefined) return running.answer.then(ask)
        return running.answer.then((given) => ({ ...given, replayed: true }))
      }
      if (isOverloaded()) return Promise.resolve(answer(refuse('overloaded')))
      const answered = ask()
      if (idempotency === undefined || key === undefined) return answered
      const settled = answered.finally(() => keysInFlight.delete(key))
      keysInFlight.set(key, { fingerprint: idempotency.fingerprint, answer: settled })
      return settled
    },
    perform: (command, request) =>
      enqueue(command, request, {
        ticket: undefined,
        render: noAnswer,
        shape: (decision) => decision.outcome as Outcome<never>,
      }),
    drain() {
      if (lanes.count === 0 && inFlight === 0) return Promise.resolve()
      return new Promise((resolve) => idle.push(resolve))
    },
  }
}

function settle(batch: readonly Settled[]): void {
  for (const settled of batch) {
    if ('decision' in settled) settled.item.settle(settled.decision)
    else settled.item.fail(settled.error)
  }
}

function keyOf(tenantId: string, { principal, key }: IdempotencyTicket): string {
  return `${tenantId} ${principal} ${key}`
}

const NO_ANSWER: Answer = { status: 204, body: '' }
function noAnswer(): Answer {
  return NO_ANSWER
}
