import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../actor.ts'
import { refuse as refuseBatch } from '../batch/batch.errors.ts'
import { ApiError, type FieldError } from '../errors.ts'
import { API_VERSION } from '../version.ts'
import { refuse } from './http.errors.ts'
import type { HandlerDeadline } from './handler-deadline.ts'
import { type Idempotency, fingerprintOf, readKey } from './idempotency.ts'
import type { KeyedHash } from './keyed-hash.ts'
import type { Load } from './load.ts'
import type { Authenticate, Done, Hook, RoutePolicy } from './route-policy.ts'
import { invalidRequest } from './validation.ts'

/**
 * The steps before a handler, each a plain callback: at thousands of requests per second a promise
 * per step is what one would find in the profile.
 */
export function requestGates(options: {
  readonly authenticate: Authenticate
  readonly keyedHash: KeyedHash
  readonly deadline: HandlerDeadline
  readonly load: Pick<Load, 'level'> | undefined
  readonly isClosing: () => boolean
}) {
  const { authenticate, keyedHash, deadline, load, isClosing } = options

  /** Load, media type, token, version: what can be refused before a body is read. */
  function admit(policy: RoutePolicy): Hook {
    if (policy.public) return admitAnyone(policy)
    return function admitActor(request, _reply, done) {
      request.policy = policy
      if (load !== undefined && load.level() >= policy.shedAt) {
        return done(new ApiError(refuseBatch('overloaded')))
      }
      if (!readsMediaType(request)) return done(new ApiError(refuse('unsupported_media_type')))
      const entered = (actor: Actor): void => {
        request.actor = actor
        done(versionFault(request))
      }
      let actor: Actor | Promise<Actor>
      try {
        actor = authenticate(request)
      } catch (error) {
        return done(error as Error)
      }
      if (actor instanceof Promise) actor.then(entered, done)
      else entered(actor)
    }
  }

  /** The parsed request before schemas and defaults: its key, and what no schema can see. */
  function prepare(policy: RoutePolicy): Hook {
    const readsKey = policy.idempotency !== 'none'
    return function prepareRequest(request, _reply, done) {
      try {
        if (readsKey) request.idempotency = keyOf(policy, request, keyedHash)
        if (request.body === undefined && policy.mayOmitBody) request.body = {}
        if (!policy.public) refuseUndeclared(policy, request)
      } catch (error) {
        return done(error as Error)
      }
      done()
    }
  }

  function authorise(policy: RoutePolicy): Hook {
    const scope = policy.scope as string
    const refusal = refuse('insufficient_scope', { detail: `This operation needs ${scope}.` })
    const challenge = `error="insufficient_scope", scope="${scope}"`
    return function checkScope(request, reply, done) {
      if (!request.actor.scopes.has(scope)) {
        const told = { 'www-authenticate': `${schemeOf(request)} ${challenge}` }
        return done(new ApiError(refusal, told))
      }
      deadline.begin(reply)
      done()
    }
  }

  function finish(
    _request: FastifyRequest,
    reply: FastifyReply,
    _payload: unknown,
    done: Done,
  ): void {
    deadline.end(reply)
    // Else the connection would stay open, idle, and hold up the stop until it times out.
    if (isClosing()) reply.header('connection', 'close')
    done()
  }

  return { admit, prepare, authorise, finish }
}

// Whoever came with a bound token is told so in the words of its scheme (RFC 9449 §7.1).
function schemeOf({ headers }: FastifyRequest): 'Bearer' | 'DPoP' {
  return /^dpop /i.test(headers.authorization ?? '') ? 'DPoP' : 'Bearer'
}

const JSON_TYPE = /^application\/(?:merge-patch\+)?json(?:\s*;\s*charset="?utf-8"?)?\s*$/i

function admitAnyone(policy: RoutePolicy): Hook {
  return function admit(request, _reply, done) {
    request.policy = policy
    done()
  }
}

/** The key of the request and what it asks for; a missing key is refused where the route needs one. */
function keyOf(
  policy: RoutePolicy,
  request: FastifyRequest,
  keyedHash: KeyedHash,
): Idempotency | undefined {
  const key = readKey(request.raw)
  if (key !== undefined) return { key, fingerprint: fingerprintOf(keyedHash, policy, request) }
  if (policy.idempotency !== 'required') return undefined
  throw new ApiError(refuse('idempotency_key_required', { errors: [KEY_MISSING] }))
}

const KEY_MISSING: FieldError = {
  header: 'Idempotency-Key',
  code: 'required',
  detail: 'make one key per operation and keep it over retries',
}

function readsMediaType({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return true
  const type = headers['content-type']
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return false
  // Without a type there must be no body; Fastify looks at its length.
  return type === undefined || type === 'application/json' || JSON_TYPE.test(type)
}

function versionFault(request: FastifyRequest): ApiError | undefined {
  const asked = request.headers['api-version']
  request.apiVersion = API_VERSION
  if (asked === undefined || asked === API_VERSION) return undefined
  const errors: FieldError[] = [
    { header: 'API-Version', code: 'not_allowed', detail: `one of ${API_VERSION}` },
  ]
  return new ApiError(refuse('unknown_api_version', { supported: [API_VERSION], errors }))
}

/** Parameters and bodies on routes that declare none, and numbers written otherwise than in JSON. */
function refuseUndeclared(policy: RoutePolicy, request: FastifyRequest): void {
  const errors: FieldError[] = []
  if (!policy.takesQuery && request.url.includes('?')) {
    for (const parameter of Object.keys(request.query as object)) {
      errors.push({ parameter, code: 'unknown_field', detail: 'no such parameter' })
    }
  }
  if (policy.takesBody && request.body === undefined) {
    errors.push({ pointer: '#', code: 'required', detail: 'this operation needs a body' })
  }
  if (!policy.takesBody && request.body !== undefined && !isEmpty(request.body)) {
    errors.push({ pointer: '#', code: 'unknown_field', detail: 'this operation takes no body' })
  }
  for (const parameter of policy.integerParameters) {
    const values = {
      ...(request.query as Record<string, unknown>),
      ...(request.params as Record<string, unknown>),
    }[parameter]
    if (values === undefined || [values].flat().every(isWholeNumber)) continue
    errors.push({ parameter, code: 'wrong_type', detail: 'a whole number' })
  }
  if (errors.length > 0) throw invalidRequest(errors)
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0
}

// The query reader would take 0x10, 1e3 and numbers beyond what a double holds.
function isWholeNumber(text: unknown): boolean {
  return /^-?\d{1,16}$/.test(String(text)) && Number.isSafeInteger(Number(text))
}
