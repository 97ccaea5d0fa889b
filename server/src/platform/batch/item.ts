import type { Answer } from '../answer.ts'
import type { Asked } from '../command.ts'
import type { Outcome } from '../errors.ts'
import type { IdempotencyTicket } from './idempotency.queries.ts'

/** One waiting request. Its batch decides it; `settle` and `fail` end the wait. */
export interface Item<Input, Value> {
  readonly request: Asked<Input>
  readonly ticket: IdempotencyTicket | undefined
  /** Renders the outcome inside the transaction. */
  readonly render: (outcome: Outcome<Value>) => Answer
  readonly settle: (decision: Decision<Value>) => void
  readonly fail: (error: unknown) => void
  readonly weight: number
  /** Monotonic milliseconds of its arrival. */
  readonly since: number
}

export interface Decision<Value> {
  /** Undefined when an earlier answer was replayed. */
  readonly outcome: Outcome<Value> | undefined
  readonly answer: Answer | undefined
}
