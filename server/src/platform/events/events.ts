import { type Static, type TProperties, Type, type TObject } from 'typebox'
import { statement } from '../db/statement.ts'
import { afterCommit } from '../db/transaction.ts'
import { newId } from '../ids.ts'
import { API_VERSION } from '../version.ts'

/**
 * The outbox: an event is a fact, written in the transaction that made it true and never changed.
 * It carries ids, states and amounts; no rows, no personal data, no free text.
 */

export interface Fact<Data> {
  readonly tenantId: string
  readonly objectId: string
  /** 1, 2, 3 … per object without gaps, raised under the object's row lock. */
  readonly sequence: number
  /** When it happened, in the tenant's time. */
  readonly at: Date
  readonly requestId: string | null
  readonly data: Data
}

/** When and by which request something happened that an event tells. */
export type Moment = Pick<Fact<never>, 'at' | 'requestId'>

/** A fact that may be missing. */
export const NullableString = Type.Union([Type.String(), Type.Null()])

export interface EmittedEvent extends Fact<object> {
  readonly type: string
  readonly objectKind: string
}

export interface EventType<Data = never> {
  (fact: Fact<Data>): EmittedEvent
  readonly type: string
  readonly objectKind: string
  readonly description: string
  readonly schema: TObject
}

/** Declares an event type: `event('payment.completed', 'payment', 'The money moved.', { … })`. */
export function event<Properties extends TProperties>(
  type: string,
  objectKind: string,
  description: string,
  properties: Properties,
): EventType<Static<TObject<Properties>>> {
  const schema = Type.Object(properties)
  const make = (fact: Fact<Static<TObject<Properties>>>): EmittedEvent => ({
    ...fact,
    data: fact.data,
    type,
    objectKind,
  })
  return Object.assign(make, { type, objectKind, description, schema })
}

const MAX_DATA_BYTES = 8_192 // a fact is small; a snapshot would be stale when it arrives

/** Writes events into the outbox and, after the commit, hints at them within the process. */
export function emit(tx: object, events: readonly EmittedEvent[]): void {
  if (events.length === 0) return
  const data = events.map((one) => JSON.stringify(one.data))
  for (const [index, text] of data.entries()) {
    if (text.length > MAX_DATA_BYTES)
      throw new Error(`${events[index]?.type}: the event is too large`)
  }
  insertEvents.send(
    tx,
    events.map(({ tenantId }) => tenantId),
    events.map(({ at }) => newId(at)),
    events.map(({ type }) => type),
    events.map(({ objectKind }) => objectKind),
    events.map(({ objectId }) => objectId),
    events.map(({ sequence }) => sequence),
    API_VERSION,
    events.map(({ at }) => at),
    data,
    events.map(({ requestId }) => requestId),
  )
  afterCommit(tx, () => {
    for (const listener of listeners) listener(events)
  })
}

const insertEvents = statement(`
  insert into platform.events (tenant_id, id, epoch, type, object_kind, object_id, sequence,
                               schema_version, occurred_at, data, request_id)
  select u.tenant_id, u.id, (select epoch from platform.cluster), u.type, u.object_kind, u.object_id,
         u.sequence, $7::date, u.occurred_at, u.data, u.request_id
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::int[],
              $8::timestamptz[], $9::text[], $10::text[])
    as u (tenant_id, id, type, object_kind, object_id, sequence, occurred_at, data, request_id)`)

type Listener = (events: readonly EmittedEvent[]) => void
const listeners = new Set<Listener>()

/**
 * Hears of events that this process committed. A hint that saves a poll, never the mechanism: what
 * another process commits, or a process that died, is found by polling.
 */
export function onCommitted(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
