import type { Actor } from './actor.ts'
import type { Tx } from './db/types.ts'
import type { Outcome, Refused } from './errors.ts'

/** One item asked of a command. */
export interface Asked<Input> {
  readonly tenantId: string
  readonly actor: Actor
  /** `req_…`, carried into audit rows and events. */
  readonly requestId: string
  /** When it arrived. Commands read this, never the clock. */
  readonly at: Date
  readonly input: Input
}

/** The tenant of a batch whose command does not mix them. Throws where there is none, or several. */
export function tenantOf(requests: readonly Pick<Asked<unknown>, 'tenantId'>[]): string {
  const [first, ...others] = requests
  if (first === undefined) throw new Error('an empty batch belongs to no tenant')
  if (others.some(({ tenantId }) => tenantId !== first.tenantId)) {
    throw new Error('a batch of one tenant holds items of several')
  }
  return first.tenantId
}

/**
 * A business act over a set of items. Outcomes have the length and order of the requests: a refusal
 * turns down its own item, a throw rolls everything back. Runs inside a transaction that it does not
 * open, may run again from its inputs, and leaves nothing outside `tx`.
 */
export interface Command<Input, Value, Held = void> {
  readonly name: string
  /** One batch may hold items of several tenants. Otherwise it holds one tenant's only. */
  readonly mixesTenants?: boolean
  /** How much of a batch one item takes up. Default 1; a bulk item weighs what it carries. */
  readonly weight?: (input: Input) => number
  /** Takes the locks. Sent together with the idempotency claims, so it must not depend on them. */
  readonly lock?: (tx: Tx, requests: readonly Asked<Input>[]) => Promise<Held>
  /**
   * Why the answer to this repeated request must not be shown now, though it was given once: the
   * actor may have lost what the first one relied upon. Asked under the locks; undefined: show it.
   */
  readonly replayFault?: (request: Asked<Input>, held: Held) => Refused | undefined
  readonly run: (
    tx: Tx,
    requests: readonly Asked<Input>[],
    held: Held,
  ) => Promise<readonly Outcome<Value>[]>
}
