import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { ApiError } from './errors.ts'
import { Nullable, closed } from './fields.ts'
import { canonical } from './http/canonical-json.ts'
import { refuse } from './http/http.errors.ts'
import { pathOf } from './http/problem.ts'

/**
 * Lists are read by key, never by offset: a page begins after the last row of the one before. The
 * cursor carries that position and is bound by a MAC to the tenant, the list and its filters, so it
 * opens nothing that its owner could not ask for, and cannot be carried to another question.
 */

const MAX_LIMIT = 200
const DEFAULT_LIMIT = 50
const MAX_CURSOR_CHARS = 1_000

/** The parameters of every list: `Type.Object({ ...pageParameters, status: … }, closed)`. */
export const pageParameters = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })),
  cursor: Type.Optional(
    Type.String({ maxLength: MAX_CURSOR_CHARS, description: '`next_cursor` of the page before.' }),
  ),
  order: Type.Optional(
    Type.Union([Type.Literal('desc'), Type.Literal('asc')], {
      default: 'desc',
      description: 'By creation: newest first, or oldest first.',
    }),
  ),
}

export interface Page {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** Key of the last row that the client has seen. Absent on the first page. */
  readonly after?: readonly string[]
}

/** The shape of a list's answer. */
export function listOf<Item extends TSchema>(item: Item) {
  return Type.Object(
    {
      object: Type.Literal('list'),
      data: Type.Array(item, { maxItems: MAX_LIMIT }),
      has_more: Type.Boolean(),
      next_cursor: Nullable(Type.String({ maxLength: MAX_CURSOR_CHARS })),
    },
    closed,
  )
}

export interface Paging {
  /** What the query of a list asks for. Throws `invalid_cursor`. */
  pageOf(request: FastifyRequest): Page
  /**
   * The answer over rows read with `limit + 1`: the extra row says that there is more and is not
   * shown. Sets `Link`.
   */
  answer<Row, Item>(
    request: FastifyRequest,
    reply: FastifyReply,
    page: Page,
    rows: readonly Row[],
    shape: { readonly key: (row: Row) => readonly string[]; readonly item: (row: Row) => Item },
  ): { object: 'list'; data: Item[]; has_more: boolean; next_cursor: string | null }
}

/** `secret`: at least 32 bytes, the same on every node and over restarts. */
export function createPaging(secret: Uint8Array): Paging {
  const { encode, decode } = createCursors(secret)
  return {
    pageOf(request) {
      const { limit = DEFAULT_LIMIT, order = 'desc', cursor } = request.query as Partial<PageQuery>
      if (cursor === undefined) return { limit, order }
      return { limit, order, after: decode(questionOf(request), cursor) }
    },
    answer(request, reply, page, rows, { key, item }) {
      const shown = rows.slice(0, page.limit)
      const last = rows.length > page.limit ? shown.at(-1) : undefined
      const cursor = last === undefined ? null : encode(questionOf(request), key(last))
      if (cursor !== null) reply.header('link', `<${nextUrl(request.url, cursor)}>; rel="next"`)
      return {
        object: 'list',
        data: shown.map(item),
        has_more: cursor !== null,
        next_cursor: cursor,
      }
    },
  }
}

interface PageQuery {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly cursor: string
}

function questionOf({ actor, policy, params, query }: FastifyRequest): Question {
  const { limit: _limit, cursor: _cursor, ...filters } = query as Partial<PageQuery>
  return { tenantId: actor.tenantId, list: policy?.url ?? '', filters: { params, ...filters } }
}

function nextUrl(url: string, cursor: string): string {
  const query = new URLSearchParams(url.slice(pathOf(url).length))
  query.set('cursor', cursor)
  return `${pathOf(url)}?${query.toString()}`
}

/** What a cursor is bound to. */
export interface Question {
  readonly tenantId: string
  readonly list: string
  readonly filters: unknown
}

const VERSION = '1'
const MAC_BYTES = 16 // a guess is worth nothing but a place in one's own list

export function createCursors(secret: Uint8Array) {
  const key = createSecretKey(secret)

  function mac({ tenantId, list, filters }: Question, position: string): Buffer {
    const text = canonical(['cursor', VERSION, tenantId, list, filters, position])
    return createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES)
  }

  function encode(question: Question, position: readonly string[]): string {
    const text = JSON.stringify(position)
    return Buffer.concat([mac(question, text), Buffer.from(text)]).toString('base64url')
  }

  /** The position, or `invalid_cursor`: changed, cut, of another tenant, list or filter. */
  function decode(question: Question, cursor: string): readonly string[] {
    const bytes = Buffer.from(cursor, 'base64url')
    const text = bytes.subarray(MAC_BYTES).toString()
    const isWhole = bytes.length > MAC_BYTES && bytes.toString('base64url') === cursor
    if (!isWhole || !timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(question, text))) {
      throw new ApiError(refuse('invalid_cursor', { errors: [CURSOR_ERROR] }))
    }
    return JSON.parse(text) as string[]
  }

  return { encode, decode }
}

const CURSOR_ERROR = {
  parameter: 'cursor',
  code: 'not_allowed',
  detail: 'pass next_cursor unchanged, with the same filters',
} as const
