import type { Answer } from '../answer.ts'
import type { Command } from '../command.ts'
import type { Tx } from '../db/types.ts'
import type { Outcome } from '../errors.ts'
import { API_VERSION } from '../version.ts'
import { refuse } from './batch.errors.ts'
import {
  type KeyRow,
  type KeyedRequest,
  type ResponseRow,
  claimKeys,
  findKeys,
  insertResponses,
} from './idempotency.queries.ts'
import type { Decision, Item } from './item.ts'

/**
 * One batch inside its transaction: claim the keys and take the locks in one flush, run what is new,
 * store each answer beside its effect. An item whose key is already there is not run: it gets the
 * stored answer, unless its command says that it may not hear it any more, or is told that the key
 * belongs to another request.
 */
export async function execute(
  tx: Tx,
  command: Command<never, unknown, unknown>,
  items: readonly Item<never, unknown>[],
): Promise<Decision<unknown>[]> {
  const keyed = items.flatMap((item) => (item.ticket === undefined ? [] : [keyedRequest(item)]))
  const sorted = keyed.toSorted(byKey)
  const [claimed, held] = await Promise.all([
    sorted.length === 0 ? 0 : claimKeys(tx, sorted),
    command.lock?.(
      tx,
      items.map(({ request }) => request),
    ),
  ])
  const known = claimed === sorted.length ? NONE_KNOWN : await knownKeys(tx, sorted)

  const replays = items.map((item) => {
    const replay = replayOf(item, known)
    if (replay === undefined) return undefined
    // Whatever is said under a key is said to somebody who may still hear it.
    const fault = command.replayFault?.(item.request, held)
    return fault === undefined ? replay : item.render(fault)
  })
  const fresh = items.filter((_, index) => replays[index] === undefined)
  const outcomes =
    fresh.length === 0
      ? []
      : await command.run(
          tx,
          fresh.map(({ request }) => request),
          held,
        )
  if (outcomes.length !== fresh.length) {
    throw new Error(`${command.name}: ${fresh.length} asked, ${outcomes.length} outcomes`)
  }

  let next = 0
  const decisions = items.map((item, index): Decision<unknown> => {
    const replay = replays[index]
    if (replay !== undefined) return { outcome: undefined, answer: replay }
    const outcome = outcomes[next] as Outcome<unknown>
    next += 1
    return { outcome, answer: item.render(outcome) }
  })
  const stored = items.flatMap((item, index) => {
    if (item.ticket === undefined || replays[index] !== undefined) return []
    return [responseRow(item, decisions[index]?.answer as Answer)]
  })
  if (stored.length > 0) insertResponses(tx, stored)
  return decisions
}

const NONE_KNOWN: ReadonlyMap<string, KeyRow> = new Map()

async function knownKeys(tx: Tx, keyed: readonly KeyedRequest[]): Promise<Map<string, KeyRow>> {
  const rows = await findKeys(tx, keyed)
  return new Map(
    rows
      .filter(({ mine }) => !mine)
      .map((row) => [`${row.tenant_id} ${row.principal} ${row.key}`, row]),
  )
}

/** The answer of an item whose key was used before, or undefined when the item is to be run. */
function replayOf(
  { ticket, request, render }: Item<never, unknown>,
  known: ReadonlyMap<string, KeyRow>,
): Answer | undefined {
  if (ticket === undefined || known.size === 0) return undefined
  const row = known.get(`${request.tenantId} ${ticket.principal} ${ticket.key}`)
  if (row === undefined) return undefined
  if (row.fingerprint !== ticket.fingerprint) return render(refuse('idempotency_key_reused'))
  if (row.status === null || row.body === null) {
    return render(refuse('idempotency_key_expired', { existing_id: row.object_id }))
  }
  return {
    status: row.status,
    body: row.body,
    replayed: true,
    ...(row.location === null ? {} : { location: row.location }),
  }
}

function keyedRequest({ ticket, request }: Item<never, unknown>): KeyedRequest {
  if (ticket === undefined) throw new Error('an item without a key has no keyed request')
  return { ...ticket, tenantId: request.tenantId, at: request.at }
}

function responseRow(item: Item<never, unknown>, answer: Answer): ResponseRow {
  const { status, body, location = null } = answer
  return { ...keyedRequest(item), status, apiVersion: API_VERSION, location, body }
}

function byKey(one: KeyedRequest, other: KeyedRequest): number {
  return (
    compare(one.tenantId, other.tenantId) ||
    compare(one.principal, other.principal) ||
    compare(one.key, other.key)
  )
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
