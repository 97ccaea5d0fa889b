import type { Browser } from './banking/browser.ts'

/** What steps leave to later ones. */
interface Known extends BankingFacts {
  /** Ids of the accounts that this run has opened. */
  readonly shop: string
  readonly supplier: string
  /** Ids of payments. */
  readonly card_payment: string
  readonly transfer: string
  /** Before anything of this run was booked. */
  readonly since: string
  /** The transfer as it was asked for and answered. */
  readonly transfer_request: {
    readonly key: string
    readonly body: object
    readonly answer: string
  }
  /** Filters, and the ids of all that fits them. */
  readonly history: { readonly filters: Record<string, string>; readonly ids: readonly string[] }
}

/** Of the walk of an app that acts for a customer. */
interface BankingFacts {
  /** What the app keeps while its customer is away, to know the answer as its own (RFC 6749, RFC 7636). */
  readonly errand: { readonly state: string; readonly verifier: string }
  readonly browser: Browser
  readonly code: string
  readonly tokens: Tokens
  /** The tokens that a refresh replaced. */
  readonly former_tokens: Tokens
  /** Booked on the accounts of both customers before the transfer, in minor units. */
  readonly booked: Readonly<Record<'customer_a' | 'customer_b', number>>
}

export interface Tokens {
  readonly access: string
  readonly refresh: string
}

export interface Facts {
  set<Name extends keyof Known>(name: Name, value: Known[Name]): void
  get<Name extends keyof Known>(name: Name): Known[Name]
}

export function createFacts(): Facts {
  const known: Partial<Known> = {}
  return {
    set(name, value) {
      known[name] = value
    },
    get(name) {
      const value = known[name]
      if (value === undefined) throw new Error(`no earlier step has found the ${name}`)
      return value
    },
  }
}
