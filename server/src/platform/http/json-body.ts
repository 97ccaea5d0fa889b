import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import { refuse } from './http.errors.ts'
import { pointerAt, scanJson, type ScanFault } from './json-scan.ts'

export const BODY_LIMIT = 256 * 1024 // bulk routes say more
const MAX_DEPTH = 32 // jsonb and JSON.stringify break in the thousands; no body of ours needs ten
const MAX_MEMBERS = 10_000 // bulk routes say more

type Done = (error: Error | null, body?: unknown) => void

/** Reads JSON, and nothing else. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done: Done) => {
      if (body.length === 0) return done(null) // a type and no body: there is no body
      if (!isUtf8(body)) return done(invalid('The body is not UTF-8.'))
      const text = body.toString()
      const maxMembers = request.policy?.maxMembers ?? MAX_MEMBERS
      const fault = scanJson(text, { maxDepth: MAX_DEPTH, maxMembers })
      if (fault !== undefined) return done(refusalOf(text, fault))
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return done(invalid('The body is not JSON.'))
      }
      done(null, value)
    },
  )
}

function refusalOf(text: string, { offset, code, detail }: ScanFault): ApiError {
  const pointer = pointerAt(text, offset)
  const errors = [{ pointer, code, detail }]
  return new ApiError(refuse('invalid_json', { detail: `${pointer}: ${detail}.`, errors }))
}

function invalid(detail: string): ApiError {
  return new ApiError(refuse('invalid_json', { detail }))
}
