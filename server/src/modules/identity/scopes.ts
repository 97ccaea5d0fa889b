/**
 * Every scope there is, `area:verb`; `write` never implies `read`. A route names exactly one, and a
 * client holds those it was given.
 */
const scopesByArea = {
  /** The only ones that a customer can grant to an app, and that a consent page may show. */
  customer: [
    'openid',
    'accounts:read',
    'balance:read',
    'transactions:read',
    'transfer:write',
    'consents:read',
    'consents:write',
  ],
  payments: [
    'payments:read',
    'payments:write',
    'refunds:write',
    'disputes:write',
    'schedules:write',
    'approvals:read',
    'approvals:decide',
    'approval_rules:write',
  ],
  history: [
    'history:read',
    'reports:read',
    'reports:write',
    'ledger:read',
    'ledger:write',
    'events:read',
    'webhooks:read',
    'webhooks:write',
  ],
  accounting: [
    'reconciliation:read',
    'reconciliation:write',
    'accounting:read',
    'accounting:write',
  ],
  lending: [
    'applications:read',
    'applications:write',
    'kyc:read',
    'kyc:write',
    'screenings:read',
    'screenings:write',
    'credit:read',
    'credit:write',
    'collateral:read',
    'collateral:write',
    'decisions:read',
    'decisions:write',
    'decision_models:write',
    'reviews:read',
    'reviews:write',
    'offers:read',
    'offers:write',
    'loans:read',
    'loans:write',
  ],
  administration: [
    'parties:read',
    'parties:write',
    'pii:read',
    'clients:read',
    'clients:write',
    'users:read',
    'users:write',
    'audit:read',
    'compliance:read',
  ],
  /** Held by clients of sandbox tenants only. */
  sandbox: ['test_helpers'],
} as const

export type Scope = (typeof scopesByArea)[keyof typeof scopesByArea][number]

export const scopes: readonly Scope[] = Object.values(scopesByArea).flat()
export const customerScopes: ReadonlySet<string> = new Set(scopesByArea.customer)
export const sandboxScopes: ReadonlySet<string> = new Set(scopesByArea.sandbox)

/** What an access token for the API can carry: `openid` asks for an ID token and opens no route. */
export const apiScopes: readonly Scope[] = scopes.filter((scope) => scope !== 'openid')

const known: ReadonlySet<string> = new Set(scopes)

export function isScope(text: string): text is Scope {
  return known.has(text)
}

/** Fails the boot when a route, or whoever else names scopes, names one that nobody could hold. */
export function assertScopes(where: string, named: Iterable<string>): void {
  const unknown = [...named].filter((scope) => !isScope(scope))
  if (unknown.length > 0) throw new Error(`${where} names unknown scopes: ${unknown.join(' ')}`)
}
