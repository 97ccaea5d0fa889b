import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import { personOf } from './library-account.ts'
import { oursOf, profileOf } from './clients/library-client.ts'
import { LONGEST_SESSION_S } from './login-policy.ts'

/** Seconds, the most that an access token lives. Longer: a stolen token works longer. Shorter: apps refresh more than they ask. */
export const ACCESS_TOKEN_S = 900

const DAY_S = 86_400
const IDLE_SESSION_S = 900
const REFRESH_TOKEN_S = 30 * DAY_S
const GRANT_S = 90 * DAY_S // also the longest that refreshing can go on: rotation renews no grant

export function lifetimes(
  clock: Clock,
  accessTokenSeconds: number,
): NonNullable<Configuration['ttl']> {
  const nowS = () => Math.floor(clock.now().getTime() / 1_000)
  return {
    AccessToken: accessTokenSeconds,
    ClientCredentials: accessTokenSeconds,
    IdToken: ACCESS_TOKEN_S,
    AuthorizationCode: 60,
    Interaction: 600,
    Grant: GRANT_S,
    RefreshToken: (ctx, token) => {
      const begun = token.iiat ?? nowS()
      const grantEnds = ctx?.oidc.entities.Grant?.exp ?? begun + GRANT_S
      return Math.max(1, Math.min(REFRESH_TOKEN_S, begun + GRANT_S - nowS(), grantEnds - nowS()))
    },
    Session: (_ctx, session) => {
      const ends = (session.loginTs ?? nowS()) + LONGEST_SESSION_S
      return Math.max(1, Math.min(IDLE_SESSION_S, ends - nowS()))
    },
  }
}

/**
 * What our access tokens say beyond RFC 9068: the tenant (`tid`) and its mode, the profile of the
 * client, and of a person the grant, the party, and how and when he signed in. A refresh keeps that
 * time: it proves nothing new.
 */
export function extraTokenClaims(
  ctx: KoaContextWithOIDC,
  token: Parameters<NonNullable<Configuration['extraTokenClaims']>>[1],
) {
  const { client } = token
  const { tenant_id: tid, tenant_mode: env } = oursOf(client)
  const ours = { tid, env, prf: profileOf(client) }
  if (token.kind !== 'AccessToken') return ours
  const { AuthorizationCode: code, RefreshToken: refresh, Account: account } = ctx.oidc.entities
  const source = code ?? refresh
  return {
    ...ours,
    gid: token.grantId,
    pid: personOf(account)?.party_id,
    acr: source?.acr,
    amr: source?.amr,
    auth_time: source?.authTime,
  }
}
