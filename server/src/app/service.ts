import type { FastifyBaseLogger } from 'fastify'
import { createGuard, oauthRoutes, openAuthorizationServer } from '../modules/identity/index.ts'
import { holdQueue, ledgerRoutes } from '../modules/ledger/index.ts'
import {
  type Connector,
  attemptQueue,
  authorizationQueue,
  onAttemptsDue,
  paymentRoutes,
  refundRoutes,
  routeOver,
  versionsOfPayments,
} from '../modules/payments/index.ts'
import { createBatcher } from '../platform/batch/batch.ts'
import type { Clock } from '../platform/clock.ts'
import type { Sealing } from '../platform/crypto/sealing.ts'
import { databaseOver } from '../platform/db/dialect.ts'
import { type Connection, type Pools, openPools } from '../platform/db/pools.ts'
import { startDue } from '../platform/due/due.ts'
import { onCommitted } from '../platform/events/events.ts'
import { type Http, createHttp } from '../platform/http/app.ts'
import { docsRoutes } from '../platform/http/docs-routes.ts'
import { healthRoutes } from '../platform/http/health-routes.ts'
import { describeApi } from '../platform/http/openapi.ts'
import { createSubmit } from '../platform/http/submit.ts'
import { createWaiters } from '../platform/http/waiters.ts'
import { createPaging } from '../platform/page.ts'
import { documentationOf } from './documentation.ts'
import { readyChecks } from './ready-checks.ts'

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
  /** Begins to claim due rows: what the roles `start` and `worker` do. */
  startWorkers(): void
  /** Refuses what is new, ends what was begun, and closes the pools. May be called once. */
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

  const documentation = documentationOf(issuer)
  describeApi(http, documentation)
  await http.register(docsRoutes(documentation))
  await http.register(healthRoutes(readyChecks(pools)))
  await http.register(oauthRoutes(authorizationServer))
  const paging = createPaging(sealing.deriveKey('list-cursor'))
  const payments = { submit, db, waiters, paging, route: routeOver(connectors) }
  await http.register(ledgerRoutes({ submit, db, reports: databaseOver(pools.report), paging }))
  await http.register(paymentRoutes(payments))
  await http.register(refundRoutes(payments))

  /** Each starts one due queue of a module and answers how to stop it. */
  const dueDb = databaseOver(pools.due)
  const onError = (error: unknown) => logger.error({ err: error }, 'due work')
  const workers: readonly (() => Worker)[] = [
    () => {
      const runner = startDue(dueDb, attemptQueue({ batcher, connectors, clock }), {
        clock,
        onError,
      })
      onAttemptsDue(runner.wake)
      return runner
    },
    () => startDue(dueDb, authorizationQueue({ batcher, clock }), { clock, onError }),
    () => startDue(dueDb, holdQueue({ batcher, clock }), { clock, onError }),
  ]
  let working: Worker[] = []

  return {
    http,
    pools,
    startWorkers() {
      working = workers.map((start) => start())
    },
    async close() {
      waiters.close()
      await Promise.all([http.close(), ...working.map((worker) => worker.stop())])
      await batcher.drain()
      forget()
      await Promise.all(connectors.map((connector) => connector.close()))
      await pools.close()
    },
  }
}

interface Worker {
  stop(): Promise<void>
}
