import { type Client, type KoaContextWithOIDC, type Provider, errors } from 'oidc-provider'
import type { Pool } from 'pg'
import type { Clock } from '../../platform/clock.ts'
import { DatabaseUnavailable } from '../../platform/db/transaction.ts'
import type { AccessToken } from './guard/access-token.ts'
import type { ClientUsage } from './clients/client-usage.ts'
import type { Guard } from './guard/guard.ts'
import { oursOf } from './clients/library-client.ts'
import type { Revocations } from './revocation-set.ts'
import { revokeTokens } from './revoke-tokens.ts'
import { orUnavailable, unavailable } from './temporarily-unavailable.ts'

export interface TokenEndpointParts {
  readonly guard: Pick<Guard, 'inspect'>
  readonly revocations: Pick<Revocations, 'lookNow'>
  readonly usage: Pick<ClientUsage, 'used'>
  readonly pool: Pool
  readonly clock: Clock
}

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of our access tokens. They are JWTs, of which
 * the library keeps nothing: it authenticates the client and then says `unsupported_token_type`.
 * That answer is what we replace.
 */
export function answerForJwts(provider: Provider, parts: TokenEndpointParts): void {
  provider.use(async (ctx, next) => {
    await next()
    const { oidc } = ctx as Partial<KoaContextWithOIDC> // absent where no route matched
    const route = oidc?.route
    if (route === 'token' && ctx.status === 200 && oidc?.client !== undefined) {
      parts.usage.used(oidc.client.clientId)
    }
    if (route === 'token') nameUnauthorized(oidc as KoaContextWithOIDC['oidc'], ctx.body)
    if (route !== 'introspection' && route !== 'revocation') return
    const { client, params } = oidc as KoaContextWithOIDC['oidc']
    const answer = (ctx.body ?? {}) as { error?: unknown }
    if (answer.error !== 'unsupported_token_type' || client === undefined) return
    const text = String(params?.['token'])
    try {
      const token = await parts.guard.inspect(text)
      ctx.body = route === 'introspection' ? toIntrospection(token, client) : ''
      if (route === 'revocation') await revoke(token, client, parts)
      ctx.status = 200
    } catch (error) {
      const { status, error: code, error_description } = unavailableOr(error)
      ctx.status = status
      ctx.body = { error: code, error_description }
    }
  })
}

/**
 * RFC 6749 §5.2: a client that may not use a grant type is told `unauthorized_client`; the library
 * says `invalid_request` of it. One that it does not know at all is `unsupported_grant_type`.
 */
function nameUnauthorized({ client, params }: KoaContextWithOIDC['oidc'], body: unknown): void {
  const answer = (body ?? {}) as { error?: unknown }
  const { grant_type: asked } = params ?? {}
  if (answer.error !== 'invalid_request' || typeof asked !== 'string' || asked === '') return
  if (client?.grantTypeAllowed(asked) === false) answer.error = 'unauthorized_client'
}

/** Whose opaque tokens (refresh tokens) a client may look at or end. */
export const tokenPolicies = {
  introspection: async (ctx: KoaContextWithOIDC, client: Client, token: Issued) => {
    const { clientId = '' } = token
    const issuedTo = await ctx.oidc.provider.Client.find(clientId)
    return issuedTo !== undefined && mayLookAt(client, clientId, oursOf(issuedTo).tenant_id)
  },
  // A foreign token is like an unknown one: the answer is 200 (RFC 7009 §2.2).
  revocation: (_ctx: unknown, client: Client, token: Issued) => token.clientId === client.clientId,
}

interface Issued {
  readonly clientId?: string | undefined
}

// A back office may look at all tokens of its tenant, a third party at those it was given.
function mayLookAt(client: Client, issuedTo: string, tenantId: string): boolean {
  if (client.clientId === issuedTo) return true
  const { kind, tenant_id } = oursOf(client)
  return kind === 'service' && tenant_id === tenantId
}

function toIntrospection(token: AccessToken | undefined, client: Client): object {
  if (token === undefined) return { active: false }
  const { clientId, tenantId } = token.issued
  if (!mayLookAt(client, clientId, tenantId)) return { active: false }
  const token_type = token.jkt === undefined ? 'Bearer' : 'DPoP'
  return { active: true, ...token.claims, token_type }
}

async function revoke(
  token: AccessToken | undefined,
  client: Client,
  { pool, clock, revocations }: TokenEndpointParts,
): Promise<void> {
  if (token === undefined || token.issued.clientId !== client.clientId) return
  const { tenantId, jti } = token.issued
  const ended = { tenantId, jti, reason: 'revoked_by_client', at: clock.now() }
  await orUnavailable(pool, (tx) => revokeTokens(tx, [ended]))
  await revocations.lookNow()
}

function unavailableOr(error: unknown) {
  const said = error instanceof DatabaseUnavailable ? unavailable(error) : error
  if (said instanceof errors.OIDCProviderError) return said
  throw said
}
