import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { DatabaseUnavailable } from '../../../platform/db/transaction.ts'
import { permissionsPolicy } from '../../../platform/http/security-headers.ts'
import { contentPolicy } from './content-policy.ts'
import { errorPage } from './library-pages.ts'

/** A page under the content policy; `targets` and `hasScript` as there. */
export function sendPage(
  reply: FastifyReply,
  text: string,
  targets: readonly string[] = [],
  hasScript = false,
): FastifyReply {
  return reply
    .header('content-security-policy', contentPolicy(targets, hasScript))
    .header('permissions-policy', permissionsPolicy(hasScript))
    .type('text/html; charset=utf-8')
    .send(text)
}

/** A page for whatever fails, with no more about it than the person can use. */
export function showFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = failureOf(error)
  if (status === 500) {
    request.log.error({ err: error, request_id: request.id }, 'page failed')
  }
  reply.code(status)
  void sendPage(reply, errorPage(body))
}

function failureOf(error: unknown) {
  if (error instanceof errors.SessionNotFound) {
    const description = 'the request has expired, or this browser did not make it'
    return { status: 400, body: { error: 'invalid_request', error_description: description } }
  }
  if (error instanceof errors.OIDCProviderError && error.expose) {
    const { statusCode: status, error: code, error_description } = error
    return { status, body: { error: code, error_description } }
  }
  if (error instanceof DatabaseUnavailable) {
    return { status: 503, body: { error: 'temporarily_unavailable' } }
  }
  const status = (error as { statusCode?: number } | null)?.statusCode ?? 500
  const isTheirs = status >= 400 && status < 500
  return isTheirs
    ? { status, body: { error: 'invalid_request' } }
    : { status: 500, body: { error: 'server_error' } }
}
