import type { Account, Client } from 'oidc-provider'
import type { Pool } from 'pg'
import { internalId } from '../../platform/ids.ts'
import { oursOf } from './clients/library-client.ts'
import { orUnavailable } from './temporarily-unavailable.ts'
import { type AccountRow, findActiveAccount } from './users/account.queries.ts'

/** A person as the authorization server sees one: the library's account, and our row. */
export interface PersonAccount extends Account {
  readonly person: AccountRow
}

/**
 * The person behind `usr_…`, as this client may meet him: active, of the client's tenant, and a
 * customer at an app or an operator at the console. Anybody else is not there.
 */
export async function findPerson(
  pool: Pool,
  client: Client | undefined,
  accountId: string,
): Promise<PersonAccount | undefined> {
  const userId = internalId('usr', accountId)
  if (client === undefined || userId === undefined) return undefined
  const { tenant_id: tenantId, kind } = oursOf(client)
  const person = await orUnavailable(pool, (tx) => findActiveAccount(tx, tenantId, userId))
  if (person?.kind !== (kind === 'first_party' ? 'operator' : 'customer')) return undefined
  return { accountId, person, claims: () => ({ sub: accountId }) }
}

export function personOf(account: Account | undefined): AccountRow | undefined {
  return (account as PersonAccount | undefined)?.person
}
