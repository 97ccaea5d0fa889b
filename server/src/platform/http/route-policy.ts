import type {} from '@fastify/swagger' // adds operationId, summary and tags to a route's schema
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Actor } from '../actor.ts'
import type { Idempotency } from './idempotency.ts'

/**
 * What a route declares in `config`, checked when it is registered: a route that does not say who
 * may call it, or a POST that does not say what its repetition means, stops the start.
 */
declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers without a token. Such a route has no `request.actor`. */
    readonly public?: boolean
    /** The scope that a token must carry. */
    readonly scope?: string
    /** What POST does with an Idempotency-Key. `none`: it makes nothing (a search, a login). */
    readonly idempotency?: 'required' | 'optional' | 'none'
    /** Members and items a body may hold, where 10,000 are too few. */
    readonly maxMembers?: number
    /**
     * When the route is turned away under load (`load.ts`). Default: reads of single objects last,
     * other reads before them, commands never.
     */
    readonly sheds?: 'first' | 'lists' | 'reads' | 'never'
    /** Codes of refusals, beyond those of the platform, for the API document. */
    readonly errors?: readonly string[]
  }

  interface FastifyRequest {
    /** Who asks. Public routes have none. */
    actor: Actor
    arrivedAt: Date
    apiVersion: string
    idempotency: Idempotency | undefined
    policy: RoutePolicy | undefined
  }
}

export interface RoutePolicy {
  readonly method: string
  /** The pattern, as `/payments/:id`. */
  readonly url: string
  readonly public: boolean
  readonly scope: string | undefined
  readonly idempotency: 'required' | 'optional' | 'none'
  readonly maxMembers: number | undefined
  readonly takesBody: boolean
  /** All members of the body are optional, so that leaving it out means `{}`. */
  readonly mayOmitBody: boolean
  readonly takesQuery: boolean
  readonly integerParameters: readonly string[]
  /** The level of load from which the route is turned away. */
  readonly shedAt: number
}

export type Authenticate = (request: FastifyRequest) => Actor | Promise<Actor>
export type Done = (error?: Error) => void
export type Hook = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

export function policyOf(route: RouteOptions): RoutePolicy {
  const methods = [route.method].flat()
  const method = methods.length === 1 ? (methods[0] as string) : '*'
  const { config = {}, schema = {} } = route
  const name = `${method} ${route.url}`
  const isPublic = config.public === true
  if (!isPublic && config.scope === undefined) {
    throw new Error(`${name} declares neither config.scope nor config.public`)
  }
  if (!isPublic && method === 'POST' && config.idempotency === undefined) {
    throw new Error(`${name} declares no config.idempotency: 'required', 'optional' or 'none'`)
  }
  if (!isPublic && schema.operationId === undefined) {
    throw new Error(`${name} declares no schema.operationId`)
  }
  assertClosed(`the body of ${name}`, schema.body)
  assertClosed(`the query of ${name}`, schema.querystring)
  return {
    method,
    url: route.url,
    public: isPublic,
    scope: config.scope,
    idempotency: config.idempotency ?? 'none',
    maxMembers: config.maxMembers,
    takesBody: schema.body !== undefined && WITH_BODY.has(method),
    mayOmitBody: mayOmit(schema.body),
    takesQuery: schema.querystring !== undefined,
    shedAt: SHED_AT[config.sheds ?? shedsOf(method, route.url)],
    integerParameters: [...integersOf(schema.querystring), ...integersOf(schema.params)],
  }
}

const SHED_AT = { first: 2, lists: 3, reads: 4, never: Infinity } as const

function shedsOf(method: string, url: string): keyof typeof SHED_AT {
  if (method !== 'GET' && method !== 'HEAD') return 'never'
  return /\/:[^/]+$/.test(url) ? 'reads' : 'lists'
}

interface ObjectSchema {
  readonly type?: unknown
  readonly properties?: Readonly<Record<string, ObjectSchema>>
  readonly required?: readonly string[]
  readonly items?: unknown
  readonly anyOf?: readonly unknown[]
  readonly oneOf?: readonly unknown[]
  readonly allOf?: readonly unknown[]
  readonly additionalProperties?: unknown
  readonly unevaluatedProperties?: unknown
  readonly patternProperties?: unknown
}

function mayOmit(body: unknown): boolean {
  const schema = body as ObjectSchema | undefined
  return schema?.type === 'object' && (schema.required ?? []).length === 0
}

/** An object that tolerates unknown members turns a typing error into a silent default. */
function assertClosed(what: string, schema: unknown, isPartOfAll = false): void {
  if (typeof schema !== 'object' || schema === null) return
  const {
    type,
    properties,
    items,
    anyOf = [],
    oneOf = [],
    allOf = [],
    ...rest
  } = schema as ObjectSchema
  const isClosed =
    isPartOfAll ||
    rest.additionalProperties !== undefined ||
    rest.unevaluatedProperties !== undefined ||
    rest.patternProperties !== undefined // `close-records.ts` closes it
  if (type === 'object' && !isClosed) {
    throw new Error(`${what} holds an object without additionalProperties: false`)
  }
  for (const [name, member] of Object.entries(properties ?? {}))
    assertClosed(`${what}, ${name},`, member)
  for (const branch of [items, ...anyOf, ...oneOf]) assertClosed(what, branch)
  for (const branch of allOf) assertClosed(what, branch, true)
}

function integersOf(schema: unknown): string[] {
  const { properties = {} } = (schema ?? {}) as ObjectSchema
  return Object.entries(properties).flatMap(([name, { type, items }]) =>
    type === 'integer' || (items as ObjectSchema | undefined)?.type === 'integer' ? [name] : [],
  )
}
