import type { Tx } from '../../platform/db/types.ts'

/**
 * What a consent is about is known above: which accounts a person holds, what an app may do with
 * them. Identity signs the person in, shows the page and issues tokens; these functions say what
 * stands on the page and keep what was decided. The composition root plugs them in.
 */

/** What an app asks of a person. */
export interface ConsentAsk {
  readonly tenantId: string
  readonly client: {
    readonly clientId: string
    readonly name: string
    readonly profile: 'standard' | 'fapi2'
  }
  /** `userId` as `usr_…`, `partyId` a uuid. */
  readonly user: { readonly userId: string; readonly partyId: string }
  /** Those that a customer can grant, without `openid`. */
  readonly scopes: readonly string[]
  /** RFC 9396. */
  readonly authorizationDetails: readonly Readonly<Record<string, unknown>>[]
}

/** Words and choices of the page, which renders and escapes them. */
export interface ConsentPage {
  readonly accounts: readonly {
    /** `acc_…` */
    readonly id: string
    /** As `Current account ··1234, EUR`. */
    readonly label: string
    readonly selected: boolean
  }[]
  /** Plain sentences. */
  readonly permissions: readonly string[]
  readonly limits: readonly string[]
  readonly validUntil: Date
  /** What one bound payment does; then `accounts` may be empty. */
  readonly payment?: string
}

export type ConsentDecision =
  | {
      readonly ok: true
      readonly consent: {
        readonly expiresAt: Date
        readonly scopes: readonly string[]
        readonly authorizationDetails: readonly Readonly<Record<string, unknown>>[]
      }
    }
  /** Shown on the page again, as when no account was chosen. */
  | { readonly ok: false; readonly message: string }

export interface ConsentChoice {
  /** `acc_…` */
  readonly accountIds: readonly string[]
  readonly grantId: string
  /** Address of the person's browser. */
  readonly actorOrigin: string
  readonly at: Date
}

export interface EndedGrant {
  readonly tenantId: string
  readonly grantId: string
  readonly reason: string
  readonly at: Date
}

/** A person (`usr_…`) or a client (`cli_…`) that is let in no more. */
export interface KeptOut {
  readonly tenantId: string
  readonly userId?: string
  readonly clientId?: string
  readonly reason: string
  readonly at: Date
}

export interface ConsentSlot {
  describe(ask: ConsentAsk): Promise<ConsentPage>
  /** Writes the consent under this grant id, in a transaction of its own. */
  authorise(ask: ConsentAsk, choice: ConsentChoice): Promise<ConsentDecision>
  reject(ask: ConsentAsk, at: Date): Promise<void>
  /**
   * Grant id of a live consent of this user for this client that covers all asked scopes; the app
   * then needs no second consent page.
   */
  liveGrant(ask: ConsentAsk): Promise<string | undefined>
  /**
   * Called inside the transaction that ends a grant from identity's side, before anything of the
   * grant is locked: consents come first.
   */
  grantsEnded(tx: Tx, ended: readonly EndedGrant[]): Promise<void>
  /** The same for people and clients that are kept out: all their consents end, and the grants. */
  keptOut(tx: Tx, ended: readonly KeptOut[]): Promise<void>
}
