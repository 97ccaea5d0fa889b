import { type Scope, apiScopes } from '../scopes.ts'

/** What an operator may do, by role: a list of scopes. A person may hold several. */
const reads = apiScopes.filter((scope) => scope.endsWith(':read') && scope !== 'pii:read')

const administration: readonly string[] = ['clients:write', 'users:write', 'test_helpers']

export const operatorRoles = {
  /** Enters and changes; approves nothing. */
  maker: apiScopes.filter(
    (scope) => scope !== 'approvals:decide' && !administration.includes(scope),
  ),
  /** Looks, and gives the second signature. */
  checker: [...reads, 'approvals:decide', 'reviews:write', 'decisions:write'],
  /** Looks only. */
  viewer: reads,
  /** Clients and people. */
  administrator: ['clients:read', 'clients:write', 'users:read', 'users:write', 'audit:read'],
} as const satisfies Record<string, readonly Scope[]>

export type OperatorRole = keyof typeof operatorRoles

export const operatorRoleNames = Object.keys(operatorRoles) as readonly OperatorRole[]

/** The scopes of these roles together; a role that is not known any more gives none. */
export function scopesOfRoles(roles: readonly string[]): ReadonlySet<string> {
  const known: Readonly<Record<string, readonly Scope[]>> = operatorRoles
  return new Set(roles.flatMap((role) => (Object.hasOwn(known, role) ? (known[role] ?? []) : [])))
}
