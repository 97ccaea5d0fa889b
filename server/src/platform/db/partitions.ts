import type { ClientBase, Pool } from 'pg'

/** The tables that are kept by month. */
const PARTITIONED = ['platform.events', 'platform.idempotency_responses', 'audit.events']
/** How many months are made ahead; a default partition catches what comes later still. */
const MONTHS_AHEAD = 2

/** Makes the coming months' partitions where they are missing. */
export async function makePartitions(client: Pick<ClientBase | Pool, 'query'>): Promise<void> {
  for (const parent of PARTITIONED) {
    await client.query('select platform.ensure_month_partitions($1::regclass, $2)', [
      parent,
      MONTHS_AHEAD,
    ])
  }
}
