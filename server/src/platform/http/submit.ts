import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from '../answer.ts'
import type { Batcher } from '../batch/batch.ts'
import type { Command } from '../command.ts'
import type { Outcome } from '../errors.ts'
import { retryAfter } from './failure.ts'
import { markApplied, preferencesOf } from './prefer.ts'
import { PROBLEM_TYPE, renderProblem } from './problem.ts'

/** What a route makes of an accepted value: the success it documents. */
export interface Success {
  readonly status: number
  readonly body: object
  readonly location?: string
}

export type Submit = <Input, Value, Held>(
  request: FastifyRequest,
  command: Command<Input, Value, Held>,
  input: Input,
  accepted: (value: Value) => Success,
  /** The uuid of the object to be made, or of the one in the path. */
  objectId?: string,
) => Promise<Answer>

/**
 * One request of a client becomes one item of a batch. Success and refusal are rendered here to the
 * very text that is stored under the Idempotency-Key and sent, now and whenever the key is repeated.
 */
export function createSubmit(batcher: Pick<Batcher, 'submit'>, issuer: string): Submit {
  return function submit(request, command, input, accepted, objectId) {
    const { actor, idempotency } = request
    const asked = {
      tenantId: actor.tenantId,
      actor,
      requestId: request.id,
      at: request.arrivedAt,
      input,
    }
    const answer = (outcome: Outcome<Parameters<typeof accepted>[0]>): Answer => {
      if (!outcome.ok) {
        const { refusal } = outcome
        return { status: refusal.status, body: renderProblem(issuer, refusal, request) }
      }
      const { status, body, location } = accepted(outcome.value)
      const text = JSON.stringify(body)
      return location === undefined ? { status, body: text } : { status, body: text, location }
    }
    if (idempotency === undefined) return batcher.submit(command, asked, { answer })
    const ticket = {
      principal: actor.principal,
      key: idempotency.key,
      fingerprint: idempotency.fingerprint,
      objectId: objectId ?? null,
    }
    return batcher.submit(command, asked, { idempotency: ticket, answer })
  }
}

const JSON_TYPE = 'application/json; charset=utf-8'

/**
 * Sends an answer as it was stored. `return sendAnswer(reply, answer)` ends a handler. A success
 * goes without its body to whoever prefers `return=minimal`.
 */
export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, body, location, replayed } = answer
  reply.code(status)
  if (location !== undefined) reply.header('location', location)
  if (replayed === true) reply.header('idempotent-replayed', 'true')
  if (status >= 400) {
    if (body.includes('"retryable":true')) reply.header('retry-after', retryAfter(reply.request.id))
    return reply.type(PROBLEM_TYPE).send(body)
  }
  if (!preferencesOf(reply.request).returnMinimal) return reply.type(JSON_TYPE).send(body)
  markApplied(reply, 'return=minimal')
  return reply.code(status === 200 ? 204 : status).send()
}
