import { identityJobs } from '../modules/identity/index.ts'
import { housekeeping } from '../platform/jobs/housekeeping.ts'
import type { Job } from '../platform/jobs/job.ts'

/** Every job there is; a module that has some exports them and is named here. */
export function jobsWith(parts: Parameters<typeof identityJobs>[0]): readonly Job[] {
  return [...housekeeping, ...identityJobs(parts)]
}
