import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import { personOf } from './library-account.ts'
import { API_AUDIENCE } from './audience.ts'
import { oursOf, scopesOf } from './clients/library-client.ts'
import { consentAsk, scopesAsked } from './consent-ask.ts'
import type { ConsentSlot } from './consent-slot.ts'
import { newGrantId } from './end-grant.ts'
import { scopesOfRoles } from './users/operator.roles.ts'

/**
 * The grant under which an authorization request goes on without a page: the one just given on the
 * consent page, the one of a consent that lives and covers what is asked, or, for our own console,
 * one made of what the operator's roles allow.
 */
export async function loadedGrant(
  ctx: KoaContextWithOIDC,
  { consents, clock }: { readonly consents: ConsentSlot | undefined; readonly clock: Clock },
): Promise<Grant | undefined> {
  const { client, params, result, account, provider } = ctx.oidc
  const person = personOf(account)
  if (client === undefined || person === undefined) return undefined
  if (oursOf(client).kind === 'first_party') return await grantByRoles(ctx, clock)
  const ask = consentAsk(client, person, params ?? {})
  const grantId = result?.consent?.grantId ?? (await consents?.liveGrant(ask))
  if (grantId === undefined) return undefined
  const grant = await provider.Grant.find(grantId)
  const fits = grant?.accountId === account?.accountId && grant?.clientId === client.clientId
  return fits ? grant : undefined
}

async function grantByRoles(ctx: KoaContextWithOIDC, clock: Clock): Promise<Grant | undefined> {
  const { client, params, account, provider } = ctx.oidc
  const person = personOf(account)
  if (client === undefined || account === undefined || person === undefined) return undefined
  const allowed = scopesOfRoles(person.roles)
  const held = new Set(scopesOf(client))
  const asked = scopesAsked(params?.['scope'])
  const granted = asked.filter((one) => held.has(one) && (one === 'openid' || allowed.has(one)))
  const { accountId } = account
  return await saveGrant(provider, {
    jti: newGrantId(clock.now()),
    accountId,
    clientId: client.clientId,
    granted,
    refused: asked.filter((one) => !granted.includes(one)),
  })
}

export interface NewGrant {
  readonly jti: string
  readonly accountId: string
  readonly clientId: string
  readonly granted: readonly string[]
  /** Asked for and not given: the library would ask again for a scope that it heard nothing of. */
  readonly refused: readonly string[]
  readonly rar?: readonly { readonly type: string }[]
  /** Seconds. Default: as long as the library's setting says. */
  readonly expiresIn?: number
}

/** Every scope of ours is one of the API and one of OpenID Connect to the library: both are told. */
export async function saveGrant(
  provider: KoaContextWithOIDC['oidc']['provider'],
  asked: NewGrant,
): Promise<Grant> {
  const { granted, refused, rar = [], ...properties } = asked
  const grant = new provider.Grant(properties)
  if (granted.length > 0) {
    grant.addOIDCScope([...granted])
    grant.addResourceScope(API_AUDIENCE, [...granted])
  }
  if (refused.length > 0) {
    grant.rejectOIDCScope([...refused])
    grant.rejectResourceScope(API_AUDIENCE, [...refused])
  }
  for (const detail of rar) grant.addRar({ ...detail })
  await grant.save()
  return grant
}
