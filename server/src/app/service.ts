import { onCommitted } from '../platform/events/events.ts'
import type { FastifyBaseLogger } from 'fastify'
import { createBatcher } from '../platform/batch/batch.ts'
import type { Clock } from '../platform/clock.ts'
import type { Sealing } from '../platform/crypto/sealing.ts'
import { databaseOver } from '../platform/db/dialect.ts'
import { type Connection, type Pools, openPools } from '../platform/db/pools.ts'
import { type Http, createHttp } from '../platform/http/app.ts'
import { createSubmit } from '../platform/http/submit.ts'
import { createWaiters } from '../platform/http/waiters.ts'
import { createGuard, oauthRoutes, openAuthorizationServer } from '../modules/identity/index.ts'
import { type Connector, paymentRoutes, routeOver, versionsOfPayments } from '../modules/payments/index.ts'

export interface ServiceOptions {
  readonly connection: Connection
  /** Public origin, without a trailing slash. */
  readonly issuer: string
  readonly clock: Clock
  readonly sealing: Sealing
  readonly connectors: readonly Connector[]
  readonly logger: FastifyBaseLogger
}

/** The running program without its sockets: `http` is ready to listen or to be injected into. */
export interface Service {
  readonly http: Http
  readonly pools: Pools
  close(): Promise<void>
}

/** Puts the modules together: the only place that knows them all. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { connection, issuer, clock, sealing, connectors, logger } = options
  const pools = openPools(connection, (error) => logger.warn({ err: error }, 'connection lost'))
  const db = databaseOver(pools.read)
  const batcher = createBatcher(pools.money)
  const submit = createSubmit(batcher, issuer)
  const authorizationServer = await openAuthorizationServer({
    issuer,
    pool: pools.identity,
    sealing,
    clock,
    onError: (error) => logger.error({ err: error }, 'authorization server'),
  })
  const guard = createGuard({ issuer, keys: authorizationServer.keys, clock })
  const http = createHttp({
    issuer,
    clock,
    logger,
    authenticate: (request) => guard.authenticate(request),
    fingerprintKey: sealing.deriveKey('idempotency-fingerprint'),
  })
  const waiters = createWaiters({
    versionsOf: (objects) => versionsOfPayments(db, objects),
    onError: (error) => logger.warn({ err: error }, 'long poll'),
  })
  const forget = onCommitted((events) => waiters.wake(events.map(({ objectId }) => objectId)))

  await http.register(oauthRoutes(authorizationServer))
  await http.register(paymentRoutes({ submit, db, waiters, route: routeOver(connectors) }))

  return {
    http,
    pools,
    async close() {
      waiters.close()
      await http.close()
      await batcher.drain()
      forget()
      await pools.close()
    },
  }
}
