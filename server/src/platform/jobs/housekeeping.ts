import { makePartitions } from '../db/partitions.ts'
import type { Job } from './job.ts'

/** Longer than any client retries: a repeated key then finds its object but no stored answer. */
const KEEP_RESPONSES_DAYS = 35

/** What the platform's own tables need from time to time. */
export const housekeeping: readonly Job[] = [
  {
    name: 'platform.make_partitions',
    cron: '10 2 * * *',
    run: ({ pools }) => makePartitions(pools.due),
  },
  {
    name: 'platform.drop_old_responses',
    cron: '40 2 * * *',
    run: ({ pools }) =>
      pools.due.query('select platform.drop_old_responses($1)', [KEEP_RESPONSES_DAYS]),
  },
]
