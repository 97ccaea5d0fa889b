import { internalId } from '../ids.ts'
import type { Refusal } from '../errors.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'
export const PROBLEM_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`

/** An answer is for reading; the rest shows after the first are mended. */
export const MAX_FIELD_ERRORS = 20

/** Where a problem happened. A Fastify request is one. */
export interface Occurrence {
  readonly id: string
  readonly url: string
  readonly headers: { readonly [name: string]: string | string[] | undefined }
}

/** The body of RFC 9457 for a refusal, as text. `issuer` is the origin that serves the docs. */
export function renderProblem(issuer: string, refusal: Refusal, request: Occurrence): string {
  const { code, status, retryable, title, facts } = refusal
  const { detail, errors, ...members } = facts
  return JSON.stringify({
    type: `${issuer}/docs/errors/${code}`,
    title,
    status,
    detail,
    instance: pathOf(request.url),
    code,
    retryable,
    request_id: request.id,
    trace_id: traceIdOf(request),
    errors: errors?.slice(0, MAX_FIELD_ERRORS),
    ...members,
  })
}

/** Path without query: a query may carry what must not be repeated in a log. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The header when it is a valid W3C traceparent. */
export function traceparentOf(request: Pick<Occurrence, 'headers'>): string | undefined {
  const value = request.headers['traceparent']
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined
}

/** The caller's trace, or a new one: its id is the uuid inside the request id. */
function traceIdOf(request: Pick<Occurrence, 'id' | 'headers'>): string | undefined {
  const given = traceparentOf(request)
  return given === undefined
    ? internalId('req', request.id)?.replaceAll('-', '')
    : given.slice(3, 35)
}
