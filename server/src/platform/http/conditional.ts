import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, type FieldError } from '../errors.ts'
import { API_VERSION } from '../version.ts'
import { refuse } from './http.errors.ts'

/**
 * A strong ETag names the row's version and the API's: the same row in another version of the API is
 * another representation. Writes compare the row's version only.
 */

const REPRESENTATION = API_VERSION.replaceAll('-', '')

export function etagOf(version: number | string): string {
  return `"${version}-${REPRESENTATION}"`
}

/** Whether `If-None-Match` names this version: the client has seen it. */
export function isKnown(
  { headers }: Pick<FastifyRequest, 'headers'>,
  version: number | string,
): boolean {
  const header = headers['if-none-match']
  if (header === undefined) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(etagOf(version))
}

/** Sends one mutable object, or 304 when the client has it already. */
export function sendVersioned(
  request: FastifyRequest,
  reply: FastifyReply,
  version: number | string,
  body: () => object,
  cache: 'private, no-cache' | 'no-store' = 'private, no-cache',
): FastifyReply {
  reply
    .header('etag', etagOf(version))
    .header('vary', 'Accept, API-Version, Authorization')
    .header('cache-control', cache)
  return isKnown(request, version) ? reply.code(304).send() : reply.send(body())
}

/**
 * The row versions that `If-Match` allows to be overwritten; undefined when any is (no header, or
 * `*`). Throws 428 when the object demands the header. The command compares, inside its transaction.
 */
export function allowedVersions(
  { headers }: Pick<FastifyRequest, 'headers'>,
  demand: 'optional' | 'required' = 'optional',
): readonly number[] | undefined {
  const header = headers['if-match']
  if (header === undefined) {
    if (demand === 'optional') return undefined
    throw new ApiError(refuse('if_match_required', { errors: [MISSING] }))
  }
  if (header.trim() === '*') return undefined
  // A weak or foreign tag allows nothing: the list stays empty and the write is refused with 412.
  return header.split(',').flatMap((tag) => {
    const digits = /^\s*"(\d{1,10})(?:-\d{8})?"\s*$/.exec(tag)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
}

const MISSING: FieldError = {
  header: 'If-Match',
  code: 'required',
  detail: 'the ETag of the version that you have read',
}

/** Whether the row that a command has locked is one of those; if not, it refuses with `version_conflict`. */
export function isAllowed(allowed: readonly number[] | undefined, version: number): boolean {
  return allowed === undefined || allowed.includes(version)
}
