import type { FastifyReply, FastifyRequest } from 'fastify'
import { elapsed } from '../clock.ts'
import { isKnown } from './conditional.ts'
import { markApplied, preferencesOf } from './prefer.ts'
import type { Waiters } from './waiters.ts'

export interface Polled<Row> {
  /** The row as it was read for this request. */
  readonly first: Row
  readonly read: () => Promise<Row>
  readonly id: (row: Row) => string
  readonly version: (row: Row) => number
  /** Without `If-None-Match`: whether the object is what one waits for. */
  readonly isDone: (row: Row) => boolean
}

/**
 * Holds the answer as `Prefer: wait=N` asks: until the object differs from `If-None-Match`, or,
 * without that header, until it is done. Answers the newest row, changed or not.
 */
export async function longPoll<Row>(
  waiters: Waiters,
  request: FastifyRequest,
  reply: FastifyReply,
  { first, read, id, version, isDone }: Polled<Row>,
): Promise<Row> {
  const { wait } = preferencesOf(request)
  if (wait === undefined) return first
  const isEnough = (row: Row): boolean =>
    request.headers['if-none-match'] === undefined ? isDone(row) : !isKnown(request, version(row))
  const deadline = elapsed() + wait * 1_000
  // Not `request.signal`: the request is "closed" as soon as its body has been read.
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  let row = first
  while (!isEnough(row)) {
    const end = await waiters.wait({
      tenantId: request.actor.tenantId,
      objectId: id(row),
      version: version(row),
      clientId: request.actor.id,
      timeoutMs: deadline - elapsed(),
      signal: gone.signal,
    })
    if (end === 'full') return row // at once, and without saying that the wait was honoured
    row = await read()
    if (end !== 'changed' || elapsed() >= deadline) break
  }
  markApplied(reply, `wait=${wait}`)
  return row
}
