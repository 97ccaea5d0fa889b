import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import { canonical } from './canonical-json.ts'
import { refuse } from './http.errors.ts'
import type { KeyedHash } from './keyed-hash.ts'

export interface Idempotency {
  readonly key: string
  /** Hex of the keyed hash of what was asked: the same key for something else is refused. */
  readonly fingerprint: string
}

/**
 * Reads `Idempotency-Key`: a structured-field String or the bare text, which are the same key.
 *
 * Node joins two header lines into one value with a comma. Two equal lines would so make a third
 * key and let a repeated payment through; hence the lines are counted where a comma occurs, and a
 * bare key has none.
 */
export function readKey(raw: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | undefined {
  const value = raw.headers['idempotency-key']
  if (value === undefined) return undefined
  if (typeof value === 'string' && VISIBLE.test(value)) return value
  const key = typeof value === 'string' && isOneLine(raw.rawHeaders) ? unquote(value) : undefined
  if (key === undefined || !VISIBLE_QUOTED.test(key)) {
    throw new ApiError(refuse('idempotency_key_invalid', { errors: [INVALID] }))
  }
  return key
}

function isOneLine(rawHeaders: readonly string[]): boolean {
  return rawHeaders.filter((text, index) => index % 2 === 0 && NAME.test(text)).length === 1
}

const NAME = /^idempotency-key$/i
const VISIBLE = /^(?!")[\x21-\x2b\x2d-\x7e]{1,255}$/ // bare: no comma
const VISIBLE_QUOTED = /^[\x21-\x7e]{1,255}$/
const STRING = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/ // RFC 9651 §3.3.3

const INVALID = {
  header: 'Idempotency-Key',
  code: 'bad_format',
  detail: 'one value of 1 to 255 visible ASCII characters, without comma unless quoted',
} as const

function unquote(line: string): string | undefined {
  return STRING.exec(line)?.[1]?.replaceAll(/\\(["\\])/g, '$1')
}

/**
 * Taken from the parsed body before defaults and version transforms: a default that a later release
 * adds must not turn an honest retry into a different request. Keyed, because bodies hold account
 * numbers and a bare hash of them can be guessed.
 */
export function fingerprintOf(
  keyedHash: KeyedHash,
  { method, url }: { readonly method: string; readonly url: string },
  { params, query, body }: Pick<FastifyRequest, 'params' | 'query' | 'body'>,
): string {
  return keyedHash(`${method} ${url}\n${canonical([params, query, body])}`)
}
