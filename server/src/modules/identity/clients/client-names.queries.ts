import { sql } from 'kysely'
import type { TxOf } from '../../../platform/db/types.ts'

/** What these clients are called, disabled ones too. */
export async function listClientNames(
  tx: TxOf<'identity'>,
  tenantId: string,
  clientIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ client_id: string; name: string }>`
    select client_id, name from identity.clients
    where tenant_id = ${tenantId} and client_id = any(${clientIds}::text[])`.execute(tx)
  return new Map(rows.map(({ client_id: id, name }) => [id, name]))
}
