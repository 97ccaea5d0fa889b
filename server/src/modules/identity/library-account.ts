import type { Account, Client, FindAccount, KoaContextWithOIDC } from 'oidc-provider'
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

/**
 * The person behind the session, the code or the refresh token of this request, if he signed in since
 * he was given his password: whoever knew the one before may hold any of the three.
 */
export async function findSignedIn(
  pool: Pool,
  ctx: KoaContextWithOIDC,
  accountId: string,
  token: Parameters<FindAccount>[2],
): Promise<AccountOfPerson | undefined> {
  const account = await findPerson(pool, ctx.oidc.client, accountId)
  const { authTime = ctx.oidc.session?.loginTs } = (token ?? {}) as { readonly authTime?: number }
  const changedAt = account?.person.password_changed_at ?? null
  if (authTime === undefined || changedAt === null) return account
  // The time of a sign-in is kept in whole seconds.
  return authTime < Math.floor(changedAt.getTime() / 1_000) ? undefined : account
}

export function personOf(account: Account | undefined): PersonRow | undefined {
  return (account as AccountOfPerson | undefined)?.person
}
