import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { ApiError } from '../errors.ts'
import { newId } from '../ids.ts'
import { API_VERSION } from '../version.ts'
import { refuse } from './http.errors.ts'
import { traceparentOf } from './problem.ts'
import type { Done } from './route-policy.ts'
import { securityHeaders } from './security-headers.ts'

/** The first step: ids and headers, for every request, also one to an unknown address. */
export function createArrival(issuer: string, clock: Clock) {
  const headers = { ...securityHeaders(issuer), 'api-version': API_VERSION }
  let closing = false

  function arrive(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    request.arrivedAt = clock.now()
    reply.headers(headers).header('request-id', request.id)
    const theirs = request.headers['x-request-id']
    if (typeof theirs === 'string' && TOKEN.test(theirs)) reply.header('x-request-id', theirs)
    reply.header(INTERACTION, interactionOf(request))
    const traceparent = traceparentOf(request)
    if (traceparent !== undefined) reply.header('traceparent', traceparent)
    done(closing ? new ApiError(refuse('shutting_down'), { connection: 'close' }) : undefined)
  }

  return {
    arrive,
    /** From now on every request is refused. */
    close: () => void (closing = true),
    isClosing: () => closing,
  }
}

const INTERACTION = 'x-fapi-interaction-id'

/** FAPI: the caller's, or one of ours, so that both sides can name the exchange. */
function interactionOf({ headers, arrivedAt }: FastifyRequest): string {
  const theirs = headers[INTERACTION]
  return typeof theirs === 'string' && UUID.test(theirs) ? theirs : newId(arrivedAt)
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const TOKEN = /^[A-Za-z0-9._-]{1,64}$/
