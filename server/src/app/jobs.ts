import { identityJobs } from '../modules/identity/index.ts'
import { housekeeping } from '../platform/jobs/housekeeping.ts'
import type { Job } from '../platform/jobs/job.ts'

/** Every job there is; a module that has some exports them and is named here. */
export const jobs: readonly Job[] = [...housekeeping, ...identityJobs]
