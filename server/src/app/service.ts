import { bankingRoutes } from '../modules/banking/index.ts'
import { assertScopes, clientRoutes, userRoutes } from '../modules/identity/index.ts'
import { ledgerRoutes } from '../modules/ledger/index.ts'
import {
  type Connector,
  paymentRoutes,
  refundRoutes,
  routeOver,
  waitedVersions,
} from '../modules/payments/index.ts'
import { historyRoutes } from '../modules/reporting/index.ts'
import { createBatcher } from '../platform/batch/batch.ts'
import { databaseOver } from '../platform/db/dialect.ts'
import { type Connection, type Pools, openPools } from '../platform/db/pools.ts'
import { onCommitted } from '../platform/events/events.ts'
import { type Http, createHttp } from '../platform/http/app.ts'
import { docsRoutes } from '../platform/http/docs-routes.ts'
import { healthRoutes } from '../platform/http/health-routes.ts'
import { describeApi } from '../platform/http/openapi.ts'
import type { Load } from '../platform/http/load.ts'
import { createSubmit } from '../platform/http/submit.ts'
import { createWaiters } from '../platform/http/waiters.ts'
import type { Job } from '../platform/jobs/job.ts'
import { createPaging } from '../platform/page.ts'
import { bankActors } from './bank-actors.ts'
import { documentationOf } from './documentation.ts'
import { readyChecks } from './ready-checks.ts'
import { type SignInOptions, openSignIn } from './sign-in.ts'
import { type Worker, startWorkers } from './workers.ts'

export interface ServiceOptions extends SignInOptions {
  readonly connection: Connection
  readonly connectors: readonly Connector[]
  /** Default: none, for tests. */
  readonly jobs?: readonly Job[]
  /** How strained the process is; under strain reads are turned away. Default: never, for tests. */
  readonly load?: Load
}

/** The running program without its sockets: `http` is ready to listen or to be injected into. */
export interface Service {
  readonly http: Http
  readonly pools: Pools
  /** Begins to claim due rows and to run jobs: what the roles `start` and `worker` do. */
  startWorkers(): void
  /** Refuses what is new, ends what was begun, and closes the pools. May be called once. */
  close(): Promise<void>
}

const LONG_POLLS_END = 3 // the level of `platform/http/load.ts` at which waits answer at once

/** Puts the modules together: the only place that knows them all. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { connection, issuer, clock, sealing, connectors, logger, load } = options
  let closed = false
  const pools = openPools(connection, (error) => {
    if (!closed) logger.warn({ err: error }, 'connection lost')
  })
  const db = databaseOver(pools.read)
  const batcher = createBatcher(pools.money)
  const submit = createSubmit(batcher, issuer)
  const signIn = await openSignIn(options, { pools, db })
  const { consents } = signIn
  const http = createHttp({
    issuer,
    clock,
    logger,
    authenticate: signIn.guard.authenticate,
    fingerprintKey: sealing.deriveKey('idempotency-fingerprint'),
    ...(load !== undefined && { load }),
  })
  const waiters = createWaiters({
    versionsOf: (objects) => waitedVersions(db, objects),
    isStrained: () => (load?.level() ?? 0) >= LONG_POLLS_END,
    onError: (error) => logger.warn({ err: error }, 'long poll'),
  })
  const forget = onCommitted((events) => waiters.wake(events.map(({ objectId }) => objectId)))

  http.addHook('onRoute', ({ method, url, config }) => {
    if (config?.scope !== undefined) assertScopes(`${String(method)} ${url}`, [config.scope])
  })
  const documentation = documentationOf(issuer)
  describeApi(http, documentation)
  await http.register(docsRoutes(documentation))
  await http.register(healthRoutes(readyChecks(pools)))
  await http.register(signIn.routes)
  const paging = createPaging(sealing.deriveKey('list-cursor'))
  await http.register(clientRoutes({ submit, db, paging, consents }))
  await http.register(userRoutes({ submit, db, paging, sealing, consents }))
  const payments = { submit, db, waiters, paging, route: routeOver(connectors) }
  await http.register(ledgerRoutes({ submit, db, reports: databaseOver(pools.report), paging }))
  await http.register(paymentRoutes(payments))
  await http.register(refundRoutes(payments))
  await http.register(bankingRoutes({ submit, db, paging, isBank: bankActors(db) }))
  await http.register(historyRoutes({ db, reports: pools.report, connection, paging }))

  let workers: Worker | undefined

  return {
    http,
    pools,
    startWorkers() {
      const { jobs = [] } = options
      workers = startWorkers({ connection, pools, batcher, connectors, clock, jobs, logger })
    },
    async close() {
      load?.stop()
      waiters.close()
      await Promise.all([http.close(), workers?.stop()])
      await batcher.drain()
      forget()
      await signIn.close()
      await Promise.all(connectors.map((connector) => connector.close()))
      closed = true // connections that the database ends first are no news now
      await pools.close()
    },
  }
}
