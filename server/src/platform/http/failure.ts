import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { DatabaseUnavailable } from '../db/transaction.ts'
import { ApiError, type Refusal } from '../errors.ts'
import { refuse } from './http.errors.ts'
import { PROBLEM_TYPE, renderProblem } from './problem.ts'

/**
 * The one place where an error becomes an answer. Refusals say what they are; everything else is
 * "Internal error" and the request id, because a message may carry a row, a path or a secret.
 */
export function failureHandler(issuer: string) {
  return function answerFailure(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const refusal = refusalOf(error)
    if (refusal.status >= 500) logFailure(request, refusal, error)
    if (error instanceof ApiError) reply.headers(error.headers)
    sendRefusal(issuer, refusal, request, reply)
  }
}

function sendRefusal(
  issuer: string,
  refusal: Refusal,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (refusal.retryable && !reply.hasHeader('retry-after')) {
    reply.header('retry-after', retryAfter(request.id))
  }
  reply
    .code(refusal.status)
    .header('cache-control', 'no-store')
    .type(PROBLEM_TYPE)
    .send(renderProblem(issuer, refusal, request))
}

/** 1 to 5 seconds, spread so that a crowd that was turned away together does not return together. */
export function retryAfter(requestId: string): string {
  return String(1 + (requestId.charCodeAt(requestId.length - 1) % 5))
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof ApiError) return error.refusal
  if (error instanceof DatabaseUnavailable) return refuse('database_unavailable').refusal
  const { code, statusCode } = (error ?? {}) as Partial<FastifyError>
  const known = BY_FASTIFY_CODE[code ?? '']
  if (known !== undefined) return refuse(known).refusal
  // A SyntaxError of the JSON parser, or a plug-in that says 4xx of its own accord.
  if (error instanceof SyntaxError && statusCode === 400) return refuse('invalid_json').refusal
  return refuse(BY_STATUS[statusCode ?? 500] ?? 'internal_error').refusal
}

type Code = keyof typeof refuse.table

const BY_FASTIFY_CODE: Readonly<Record<string, Code>> = {
  FST_ERR_BAD_URL: 'invalid_url',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_http',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  FST_ERR_HANDLER_TIMEOUT: 'handler_timeout',
}

const BY_STATUS: Readonly<Record<number, Code>> = {
  400: 'invalid_request',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
}

function logFailure(request: FastifyRequest, { code, status }: Refusal, error: unknown): void {
  // Shed load is counted, not logged: a line per refusal would cost more than the refusal.
  if (status === 503 && error instanceof ApiError) return
  request.log.error(
    {
      err: error,
      code,
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url,
    },
    'request failed',
  )
}
