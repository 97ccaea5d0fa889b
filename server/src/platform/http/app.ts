import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type RawServerDefault,
} from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import { newId, publicId } from '../ids.ts'
import { ApiError } from '../errors.ts'
import { refuse } from './http.errors.ts'
import { createHandlerDeadline } from './handler-deadline.ts'
import { createArrival } from './arrival.ts'
import { failureHandler } from './failure.ts'
import { BODY_LIMIT, readJsonBodies } from './json-body.ts'
import { createKeyedHash } from './keyed-hash.ts'
import type { Load } from './load.ts'
import { answerMalformed } from './malformed.ts'
import { requestGates } from './gates.ts'
import { type Authenticate, policyOf } from './route-policy.ts'
import { unknownAddress } from './unknown-address.ts'
import { buildValidator } from './validation.ts'

/**
 * The door: one Fastify with the hook chain that every route of every module passes.
 *
 * A module exports its routes as a plug-in over what they need, and a route reads as a contract:
 *
 *   export const paymentRoutes = ({ submit, read }: Deps): FastifyPluginAsyncTypebox => async (app) => {
 *     const capture = {
 *       config: { scope: 'payments:write', idempotency: 'required' },
 *       schema: { operationId: 'capturePayment', tags: ['payments'], params: PaymentParams, body: CaptureBody, response: { 202: Payment } },
 *     } as const
 *     app.post('/payments/:id/capture', capture, async (request, reply) => {
 *       const input = { paymentId: internalId('pay', request.params.id), amount: BigInt(request.body.amount) }
 *       const answer = await submit(request, capturePayments, input, (payment) => ({ status: 202, body: toPayment(payment) }))
 *       return sendAnswer(reply, answer)
 *     })
 *   }
 *
 * `config` is in `route-policy.ts`. The steps are in `arrival.ts` and `gates.ts`, in this order: ids
 * and headers, media type, authentication, version; then the body is read; then the idempotency key; then the
 * schemas; then the scope; then the handler. Routes register inside plug-ins, after `createHttp`.
 *
 * A plug-in that speaks another protocol (OAuth) registers its own content-type parsers, marks its
 * routes `config: { public: true }` and hijacks the reply; only ids and headers touch it then.
 */
export interface HttpOptions {
  /** The public origin, as `https://pay.example.com`. */
  readonly issuer: string
  readonly clock: Clock
  readonly authenticate: Authenticate
  /** Keys the fingerprints of idempotent requests. At least 32 bytes, the same on every node. */
  readonly fingerprintKey: Uint8Array
  readonly logger?: FastifyBaseLogger
  /** Turns reads away when the process is strained. Without it nothing is. */
  readonly load?: Pick<Load, 'level'>
  /** Addresses or CIDRs of the proxies whose X-Forwarded-* are believed. */
  readonly trustProxy?: string
}

export type Http = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

// Deadlines shrink inward: client 30 s, proxy 29 s, handler 25 s, retries 20 s, statement 5 s.
// The 503 says that time is spent, not that work is undone: a batch that has begun is not given up.
const HANDLER_TIMEOUT_MS = 25_000
const MAX_CONNECTIONS = 5_000
const REAP_MS = 1_000 // sooner could cut off a request that is on its way

export function createHttp(options: HttpOptions): Http {
  const { issuer, clock } = options
  const answerFailure = failureHandler(issuer)
  const arrival = createArrival(issuer, clock)
  const settings: FastifyHttpOptions<RawServerDefault> = {
    ...(options.logger !== undefined && { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger, // our lines name their request: no child logger for each
    genReqId: () => publicId('req', newId(clock.now())),
    requestIdHeader: false,
    trustProxy: options.trustProxy ?? false,
    bodyLimit: BODY_LIMIT,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    return503OnClosing: false, // the first gate says it as a problem
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    connectionTimeout: 65_000,
    keepAliveTimeout: 72_000, // above the proxy's 60 s, or it reuses a connection we just closed
    maxRequestsPerSocket: 10_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000, maxHeaderSize: 16_384 },
    clientErrorHandler: answerMalformed(issuer, clock),
    frameworkErrors: (error, request, reply) => {
      arrival.arrive(request, reply, () => answerFailure(error, request, reply))
    },
  }
  const app = fastify(settings).withTypeProvider<TypeBoxTypeProvider>()
  // Fastify's type describes an ajv compile function; what it calls is a validator compiler.
  app.setSchemaController({ compilersFactory: { buildValidator: buildValidator as never } })
  app.server.maxConnections = MAX_CONNECTIONS

  app.decorateRequest('actor')
  app.decorateRequest('arrivedAt')
  app.decorateRequest('apiVersion', '')
  app.decorateRequest('idempotency')
  app.decorateRequest('policy')
  // A row's amount reaches the wire as the mapper made it: the schema-driven serializer would send
  // null as 0 and 10.5 as 10. Tests hold every body against its schema instead.
  app.setSerializerCompiler(() => JSON.stringify)
  app.setErrorHandler(answerFailure)
  app.setNotFoundHandler(unknownAddress(app))
  readJsonBodies(app)

  const deadline = createHandlerDeadline(HANDLER_TIMEOUT_MS, (reply) => {
    reply.send(new ApiError(refuse('handler_timeout')))
  })
  const gates = requestGates({
    authenticate: options.authenticate,
    keyedHash: createKeyedHash(options.fingerprintKey),
    deadline,
    load: options.load,
    isClosing: arrival.isClosing,
  })
  let reaping: NodeJS.Timeout | undefined
  app.addHook('preClose', (done) => {
    arrival.close()
    // Answers say `Connection: close` from now on; this ends what was answered just before.
    reaping = setInterval(() => app.server.closeIdleConnections(), REAP_MS)
    done()
  })
  app.addHook('onClose', async () => {
    clearInterval(reaping)
    deadline.stop()
  })
  app.addHook('onRequest', arrival.arrive)
  app.addHook('onRoute', (route) => {
    const policy = policyOf(route)
    route.onRequest = [gates.admit(policy), ...listOf(route.onRequest)]
    route.preValidation = [gates.prepare(policy), ...listOf(route.preValidation)]
    route.onSend = [...listOf(route.onSend), gates.finish]
    if (policy.public) return
    route.preHandler = [gates.authorise(policy), ...listOf(route.preHandler)]
  })
  return app
}

function listOf<Handler>(handlers: Handler | Handler[] | undefined): Handler[] {
  return handlers === undefined ? [] : ([handlers].flat() as Handler[])
}
