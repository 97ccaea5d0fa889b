import type { Client } from 'pg'
import { cpuMicrosOf, cpuMicrosOfTree } from './cpu-time.ts'

/** What the machine has spent so far. NaN where it cannot be known. */
export interface Reading {
  /** Of the postmaster and everything below it: backends, WAL writer, checkpointer, autovacuum. */
  readonly postgresMicros: number
  readonly serviceMicros: number
  readonly gatewayMicros: number
  readonly walBytes: number
  /** Transactions that wrote something, on the whole server. */
  readonly transactions: number
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
      const { rows } = await client.query<{ wal: string; transactions: string }>(
        `select pg_current_wal_insert_lsn() - '0/0' as wal,
                pg_snapshot_xmax(pg_current_snapshot()) as transactions`,
      )
      return {
        postgresMicros: cpuMicrosOfTree(postmasterPid()),
        serviceMicros: cpuMicrosOf(servicePid),
        gatewayMicros: cpuMicrosOf(gatewayPid),
        walBytes: Number(rows[0]?.wal),
        transactions: Number(rows[0]?.transactions),
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
    transactions: after.transactions - before.transactions,
  }
}
