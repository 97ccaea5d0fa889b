import { type Configuration, errors } from 'oidc-provider'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { API_AUDIENCE } from './audience.ts'
import { profileOf } from './clients/library-client.ts'
import { renderLogout, renderSignedOut } from './pages/library-pages.ts'
import { richAuthorizationRequests } from './rich-authorization.ts'
import { apiScopes, isScope } from './scopes.ts'
import { SIGNING_ALG } from './signing-keys.ts'
import { tokenPolicies } from './token-endpoints.ts'

/** Which endpoints and profiles there are. */
export function providerFeatures(sealing: Sealing, accessTokenSeconds: number) {
  const off = { enabled: false }
  const on = { enabled: true }
  return {
    clientCredentials: on,
    devInteractions: off,
    dPoP: { enabled: true, nonceSecret: sealing.deriveKey('dpop-nonce') },
    fapi: {
      enabled: true,
      profile: (_ctx, client) => (client && profileOf(client) === 'fapi2' ? '2.0' : undefined),
    },
    introspection: { enabled: true, allowedPolicy: tokenPolicies.introspection },
    pushedAuthorizationRequests: on,
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, _client, oneOf) => oneOf?.[0] ?? API_AUDIENCE,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => {
        if (resource !== API_AUDIENCE) throw new errors.InvalidTarget()
        settleScope(ctx.oidc.params, client.scope)
        return { ...API, accessTokenTTL: accessTokenSeconds }
      },
    },
    revocation: { enabled: true, allowedPolicy: tokenPolicies.revocation },
    richAuthorizationRequests: richAuthorizationRequests(),
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => renderLogout(ctx, form),
      postLogoutSuccessSource: (ctx) => renderSignedOut(ctx),
    },
    userinfo: off,
  } satisfies Configuration['features']
}

const API = {
  scope: apiScopes.join(' '),
  audience: API_AUDIENCE,
  accessTokenFormat: 'jwt',
  jwt: { sign: { alg: SIGNING_ALG } },
} as const

interface Params {
  readonly grant_type?: unknown
  scope?: unknown
}

/**
 * Without `scope` a client asks for all it holds; the library would issue a token that may nothing.
 * Nor does it mind a scope that does not exist.
 */
function settleScope(params: Params | undefined, held: string | undefined): void {
  if (params?.grant_type !== 'client_credentials') return
  const { scope } = params
  if (typeof scope !== 'string' || scope === '') {
    params.scope = held
    return
  }
  const unknown = scope.split(' ').find((one) => !isScope(one))
  if (unknown !== undefined)
    throw new errors.InvalidScope('requested scope does not exist', unknown)
}
