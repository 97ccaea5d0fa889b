import type { Clock } from '../../platform/clock.ts'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import type { Job } from '../../platform/jobs/job.ts'
import { purgeExpired } from './purge-expired.ts'
import { turnSigningKeys } from './rotate-signing-keys.ts'

export const identityJobs = ({
  sealing,
  clock,
}: {
  readonly sealing: Sealing
  readonly clock: Clock
}): readonly Job[] => [
  {
    name: 'identity.purge_expired',
    cron: '*/5 * * * *',
    run: ({ pools }) => purgeExpired(pools.identity),
  },
  {
    name: 'identity.turn_signing_keys',
    cron: '*/5 * * * *',
    run: ({ pools }) =>
      inTransaction(pools.identity, (tx) => turnSigningKeys(tx, sealing, clock.now())),
  },
]
