import type { Account, Client } from 'oidc-provider'
import type { Pool } from 'pg'
import { internalId } from '../../platform/ids.ts'
import { oursOf } from './clients/library-client.ts'
import { orUnavailable } from './temporarily-unavailable.ts'
import { type PersonRow, findActivePerson } from './users/person.queries.ts'

/** A person as the authorization server sees one: the library's account, and our row. */
export interface AccountOfPerson extends Account {
  readonly person: PersonRow
}

/**
 * The person behind `usr_…`, as this client may meet him: active, of the client's tenant, and a
 * customer at an app or an operator at the console. Anybody else is not there.
 */
export async function findPerson(
  pool: Pool,
  client: Client | undefined,
  accountId: string,
): Promise<AccountOfPerson | undefined> {
  const userId = internalId('usr', accountId)
  if (client === undefined || userId === undefined) return undefined
  const { tenant_id: tenantId, kind } = oursOf(client)
  const person = await orUnavailable(pool, (tx) => findActivePerson(tx, tenantId, userId))
  if (person?.kind !== (kind === 'first_party' ? 'operator' : 'customer')) return undefined
  return { accountId, person, claims: () => ({ sub: accountId }) }
}

export function personOf(account: Account | undefined): PersonRow | undefined {
  return (account as AccountOfPerson | undefined)?.person
}
