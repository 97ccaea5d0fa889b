import type { Client } from 'pg'
import { cpuMicrosOf, cpuMicrosOfTree } from './cpu-time.ts'

/** What the machine has spent so far. NaN where it cannot be known. */
export interface Reading {
  /** Of the postmaster and everything below it: backends, WAL writer, checkpointer, autovacuum. */
  readonly postgresMicros: number
  readonly serviceMicros: number
  readonly gatewayMicros: number
  readonly walBytes: number
  /** Transactions of the bench's database; counted by PostgreSQL at most once a second. */
  readonly commits: number
}

export interface Meter {
  read(): Promise<Reading>
}

export interface Metered {
  readonly client: Client
  /** Changes when the server was started again. */
  readonly postmasterPid: () => number
  readonly servicePid: number
  readonly gatewayPid: number
}

export function createMeter({ client, postmasterPid, servicePid, gatewayPid }: Metered): Meter {
  return {
    async read() {
      const { rows } = await client.query<{ wal: string; commits: string }>(
        `select pg_current_wal_insert_lsn() - '0/0' as wal, xact_commit as commits
         from pg_stat_database where datname = current_database()`,
      )
      return {
        postgresMicros: cpuMicrosOfTree(postmasterPid()),
        serviceMicros: cpuMicrosOf(servicePid),
        gatewayMicros: cpuMicrosOf(gatewayPid),
        walBytes: Number(rows[0]?.wal),
        commits: Number(rows[0]?.commits),
      }
    },
  }
}

export function difference(before: Reading, after: Reading): Reading {
  return {
    postgresMicros: after.postgresMicros - before.postgresMicros,
    serviceMicros: after.serviceMicros - before.serviceMicros,
    gatewayMicros: after.gatewayMicros - before.gatewayMicros,
    walBytes: after.walBytes - before.walBytes,
    commits: after.commits - before.commits,
  }
}
