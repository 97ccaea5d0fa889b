import { type FieldError, type Outcome, accept } from '../../../platform/errors.ts'
import { newClientSecret } from './client-secret.ts'
import type { CreateClientBody } from './client.schema.ts'
import { refuse } from './client.errors.ts'
import type { ClientRegistration } from './register-clients.ts'
import type { TenantMode } from '../tenant.queries.ts'

/** From the body of a request to what is registered, with a secret where the client needs one. */
export function toRegistration(
  body: CreateClientBody,
  { clientId, mode }: { readonly clientId: string; readonly mode: TenantMode },
): Outcome<ClientRegistration> {
  const profile = body.security_profile ?? 'standard'
  const isFapi = profile === 'fapi2'
  const errors = PROFILE_FLAGS.flatMap((flag): FieldError[] =>
    body[flag] === undefined || body[flag] === isFapi
      ? []
      : [{ pointer: `/${flag}`, code: 'not_allowed', detail: `is ${isFapi} for ${profile}` }],
  )
  if (errors.length > 0) {
    const detail = `The security profile ${profile} decides this.`
    return refuse('client_invalid', { detail, errors })
  }
  const authMethod =
    body.token_endpoint_auth_method ?? (isFapi ? 'private_key_jwt' : 'client_secret_basic')
  return accept({
    clientId,
    secret: authMethod === 'private_key_jwt' ? undefined : newClientSecret(mode),
    name: body.name,
    kind:
      body.kind ?? (body.grant_types.includes('authorization_code') ? 'third_party' : 'service'),
    profile,
    grantTypes: body.grant_types,
    scope: body.scope,
    authMethod,
    redirectUris: body.redirect_uris ?? [],
    postLogoutRedirectUris: body.post_logout_redirect_uris ?? [],
    corsOrigins: body.allowed_cors_origins ?? [],
    authorizationDetailsTypes: body.authorization_details_types ?? [],
    ...(body.jwks !== undefined && { jwks: body.jwks }),
    ...(body.jwks_uri !== undefined && { jwksUri: body.jwks_uri }),
  })
}

const PROFILE_FLAGS = ['require_pushed_authorization_requests', 'dpop_bound_access_tokens'] as const
