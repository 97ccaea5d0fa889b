/**
 * The picture of the system, executed by `test/architecture.test.ts`.
 *
 * Calls go down, events come up, nothing goes sideways: a layer may import only the layers it names,
 * which stand above it in this list, and of those only `index.ts`. All may use `platform`; only `app`
 * knows everybody. An edge is declared when it is first used and removed when it is not.
 */
export const layers = {
  platform: [],
  'sandbox-gateway': [],
  audit: [],
  identity: ['audit'],
  ledger: ['audit'],
  payments: ['audit', 'ledger'],
  banking: ['audit', 'identity', 'ledger'],
  reporting: [],
  app: ['audit', 'identity', 'ledger', 'payments', 'banking', 'reporting'],
} as const satisfies Record<string, readonly string[]>

/** Single files that a layer may read across the line, each with its reason. */
export const exceptions = [
  {
    from: 'sandbox-gateway',
    file: 'modules/payments/sandbox-values.ts',
    because: 'the gateway acts on the magic cards and amounts that payments documents; one list',
  },
] as const
