import type { Pools } from '../db/pools.ts'

/**
 * Housekeeping on a clock. A job only says "look now": what it finds to do is in tables, so that a
 * job that runs twice, late or on another node does no harm. Nothing with money or order is a job.
 */
export interface Job {
  /** `identity.purge_expired`: also the name of its queue, so it is never renamed. */
  readonly name: string
  /** Five fields, in UTC. */
  readonly cron: string
  readonly run: (context: JobContext) => Promise<unknown>
}

export interface JobContext {
  readonly pools: Pools
  /** Fires when the process stops or the job has taken too long. */
  readonly signal: AbortSignal
}
