import type { Job } from '../../platform/jobs/job.ts'
import { purgeExpired } from './purge-expired.ts'

export const identityJobs: readonly Job[] = [
  {
    name: 'identity.purge_expired',
    cron: '*/5 * * * *',
    run: ({ pools }) => purgeExpired(pools.identity),
  },
]
