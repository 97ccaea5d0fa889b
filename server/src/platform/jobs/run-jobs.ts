import type { FastifyBaseLogger } from 'fastify'
import { type ConstructorOptions, PgBoss } from 'pg-boss'
import type { Connection, Pools } from '../db/pools.ts'
import { JOBS_SCHEMA } from './install-jobs.ts'
import type { Job } from './job.ts'

export interface RunningJobs {
  /** Takes no more jobs and ends those that run, for 20 s at most; what is cut off runs again. */
  stop(): Promise<void>
}

export interface RunJobsOptions {
  readonly connection: Connection
  readonly pools: Pools
  readonly jobs: readonly Job[]
  readonly logger: Pick<FastifyBaseLogger, 'error' | 'warn'>
  /** Default 15: nothing that is a job is in a hurry. */
  readonly pollSeconds?: number
}

// As the service's own pools: a role that may change rows and no table.
const SESSION = '-c role=countinghouse_app -c timezone=UTC -c lock_timeout=2000'
const STOP_MS = 20_000
const DAY_S = 86_400

const QUEUE = {
  retryLimit: 12,
  retryBackoff: true,
  retryDelay: 10,
  retryDelayMax: 3_600,
  retentionSeconds: 90 * DAY_S, // the default of 14 days loses what waits longer, silently
  deleteAfterSeconds: 3 * DAY_S,
  heartbeatSeconds: 30, // a worker that died is noticed, however long the job may take
  expireInSeconds: 21_600,
} as const

/** Runs the jobs on their schedules; of several workers on one database one takes each turn. */
export async function runJobs(options: RunJobsOptions): Promise<RunningJobs> {
  const { connection, pools, jobs, logger, pollSeconds = 15 } = options
  const settings = {
    ...connection,
    schema: JOBS_SCHEMA,
    options: SESSION,
    max: 2,
    migrate: false,
    createSchema: false,
    reindex: false, // only an owner can
  }
  const boss = new PgBoss(settings as ConstructorOptions)
  boss.on('error', (error) => logger.error({ err: error }, 'jobs'))
  boss.on('warning', (warning) => logger.warn({ warning }, 'jobs'))
  await boss.start()
  try {
    await boss.createQueue(DEAD, { retentionSeconds: QUEUE.retentionSeconds })
    for (const job of jobs) {
      await boss.createQueue(job.name, { ...QUEUE, deadLetter: DEAD })
      await boss.schedule(job.name, job.cron, null, { tz: 'UTC', missed: 'once' })
      await boss.work(job.name, { batchSize: 1, pollingIntervalSeconds: pollSeconds }, (taken) =>
        run(job, taken[0]?.signal ?? AbortSignal.abort()),
      )
    }
    await forgetOthers(boss, jobs)
  } catch (error) {
    await boss.stop({ graceful: false })
    throw error
  }

  async function run(job: Job, signal: AbortSignal): Promise<void> {
    try {
      await job.run({ pools, signal })
    } catch (error) {
      logger.error({ err: error, job: job.name }, 'job failed')
      throw error
    }
  }

  return { stop: () => boss.stop({ graceful: true, timeout: STOP_MS }) }
}

/** Where jobs end that failed to the last try. */
const DEAD = 'dead'

/** A job that this release no longer knows would fill its queue for ever. */
async function forgetOthers(boss: PgBoss, jobs: readonly Job[]): Promise<void> {
  const known = new Set(jobs.map(({ name }) => name))
  for (const { name } of await boss.getSchedules()) {
    if (!known.has(name)) await boss.unschedule(name)
  }
}
