/** What others may use of the programs that hold tokens. */
export {
  type AuthMethod,
  type ClientKind,
  type GrantType,
  type PublicKeySet,
  findActiveClient,
  listClients,
} from './client.queries.ts'
export { refuse as clientErrors } from './client.errors.ts'
export { clientRoutes } from './client.routes.ts'
export { newClientSecret } from './client-secret.ts'
export { ClientFault, type CreatedClient, type NewClient, createClient } from './create-client.ts'
export { rotateClientSecret } from './rotate-client-secret.ts'
