import type { Client } from 'oidc-provider'
import { publicId } from '../../platform/ids.ts'
import { oursOf, profileOf } from './clients/library-client.ts'
import type { ConsentAsk } from './consent-slot.ts'
import { detailsOf } from './rich-authorization.ts'
import { customerScopes } from './scopes.ts'
import type { UserRow } from './users/user.queries.ts'

interface AuthorizationParams {
  readonly scope?: unknown
  readonly authorization_details?: unknown
}

/** What an authorization request asks of this person. */
export function consentAsk(
  client: Client,
  { user_id: userId, party_id: partyId }: Pick<UserRow, 'user_id' | 'party_id'>,
  { scope, authorization_details: details }: AuthorizationParams,
): ConsentAsk {
  return {
    tenantId: oursOf(client).tenant_id,
    client: {
      clientId: client.clientId,
      name: client.clientName ?? client.clientId,
      profile: profileOf(client),
    },
    user: { userId: publicId('usr', userId), partyId },
    scopes: scopesAsked(scope).filter((one) => one !== 'openid' && customerScopes.has(one)),
    authorizationDetails: detailsOf(details),
  }
}

/** The scopes of a request, each once. */
export function scopesAsked(scope: unknown): string[] {
  const asked = typeof scope === 'string' ? scope.split(' ') : []
  return [...new Set(asked)].filter((one) => one !== '')
}
