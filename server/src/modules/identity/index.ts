export { accountRoutes } from './account/account.routes.ts'
export { type AuthorizationServer, openAuthorizationServer } from './authorization-server.ts'
export {
  type AuthMethod,
  type ClientKind,
  type GrantType,
  type PublicKeySet,
  findActiveClient,
  listClients,
} from './client.queries.ts'
export { ClientFault, type CreatedClient, type NewClient, createClient } from './create-client.ts'
export { refuse as clientErrors } from './client.errors.ts'
export { clientRoutes } from './client.routes.ts'
export { newClientSecret } from './client-secret.ts'
export type * from './consent-slot.ts'
export type * from './customer-consents.ts'
export { createTenant } from './create-tenant.ts'
export { type EndedGrant, revokeGrants } from './revoke-tokens.ts'
export { refuse as identityErrors } from './identity.errors.ts'
export { oauthRoutes } from './oauth.routes.ts'
export { interactionRoutes } from './pages/interaction.routes.ts'
export { sandboxCallbackRoutes } from './pages/sandbox-callback.routes.ts'
export { identityJobs } from './identity.jobs.ts'
export { replaceSigningKeys, rotateSigningKeys } from './rotate-signing-keys.ts'
export { rotateClientSecret } from './rotate-client-secret.ts'
export { type Scope, apiScopes, assertScopes, customerScopes, isScope } from './scopes.ts'
export { type TenantMode, type TenantRow, listTenants } from './tenant.queries.ts'
export * from './users/people.ts'
