import type { FastifyBaseLogger } from 'fastify'
import { holdQueue } from '../modules/ledger/index.ts'
import {
  type Connector,
  attemptQueue,
  authorizationQueue,
  onAttemptsDue,
} from '../modules/payments/index.ts'
import type { Batcher } from '../platform/batch/batch.ts'
import type { Clock } from '../platform/clock.ts'
import { databaseOver } from '../platform/db/dialect.ts'
import type { Connection, Pools } from '../platform/db/pools.ts'
import { startDue } from '../platform/due/due.ts'
import type { Job } from '../platform/jobs/job.ts'

export interface WorkParts {
  readonly connection: Connection
  readonly pools: Pools
  readonly batcher: Batcher
  readonly connectors: readonly Connector[]
  readonly clock: Clock
  /** None: the tables of the jobs need not be there. */
  readonly jobs: readonly Job[]
  readonly logger: FastifyBaseLogger
}

export interface Worker {
  /** Claims no more; resolves when what was begun has ended. */
  stop(): Promise<void>
}

/** Background work: the due queues of the modules, and the jobs. */
export function startWorkers(parts: WorkParts): Worker {
  const { pools, batcher, connectors, clock, logger } = parts
  const db = databaseOver(pools.due)
  const around = { clock, onError: (error: unknown) => logger.error({ err: error }, 'due work') }

  const attempts = startDue(db, attemptQueue({ batcher, connectors, clock }), around)
  const sleepOn = onAttemptsDue((tenantId) => attempts.wake(tenantId))
  const running: readonly Worker[] = [
    attempts,
    startDue(db, authorizationQueue({ batcher, clock }), around),
    startDue(db, holdQueue({ batcher, clock }), around),
    startJobs(parts),
  ]
  return {
    async stop() {
      sleepOn()
      await Promise.all(running.map((worker) => worker.stop()))
    },
  }
}

/** Housekeeping is not what anybody waits for: it begins behind the start, and says so if it cannot. */
function startJobs({ connection, pools, jobs, logger }: WorkParts): Worker {
  if (jobs.length === 0) return { stop: () => Promise.resolve() }
  const starting = import('../platform/jobs/run-jobs.ts')
    .then(({ runJobs }) => runJobs({ connection, pools, jobs, logger }))
    .catch((error: unknown) => {
      logger.error({ err: error }, 'jobs do not run in this process')
    })
  return { stop: async () => (await starting)?.stop() }
}
