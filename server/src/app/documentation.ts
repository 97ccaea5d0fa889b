import { bankingErrors } from '../modules/banking/index.ts'
import { apiScopes, clientErrors, identityErrors, userErrors } from '../modules/identity/index.ts'
import { ledgerErrors } from '../modules/ledger/index.ts'
import { paymentErrors } from '../modules/payments/index.ts'
import { type Documentation, platformErrors } from '../platform/http/openapi.ts'

/** What the API document says beyond the routes themselves: the refusals of every module, the scopes. */
export function documentationOf(issuer: string): Documentation {
  return {
    issuer,
    errors: {
      ...platformErrors,
      ...identityErrors.table,
      ...clientErrors.table,
      ...userErrors.table,
      ...ledgerErrors.table,
      ...paymentErrors.table,
      ...bankingErrors.table,
    },
    authenticationErrors: Object.keys(identityErrors.table),
    scopes: Object.fromEntries(apiScopes.map((scope) => [scope, scope])),
  }
}
