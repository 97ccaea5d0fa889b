/**
 * What a customer sees and does about the access that apps have, on pages of the bank's own. Whoever
 * knows consents answers; the composition root plugs it in.
 */

/** A person at the bank's own pages: no app is between. */
export interface Customer {
  readonly tenantId: string
  /** `usr_…` */
  readonly userId: string
  /** Uuid. */
  readonly partyId: string
}

/** A consent that stands, in the words of the page. */
export interface StandingConsent {
  /** `con_…` */
  readonly id: string
  /** `cli_…` of the app. */
  readonly clientId: string
  /** As `Current account ··1234, EUR`. */
  readonly accounts: readonly string[]
  /** Plain sentences. */
  readonly permissions: readonly string[]
  readonly limits: readonly string[]
  /** What the one payment does that it is for. */
  readonly payment?: string
  readonly givenAt: Date
  readonly validUntil: Date
  /** Of a consent to move money; null: none yet. */
  readonly lastTransferAt?: Date | null
}

export interface Withdrawal {
  /** `con_…` */
  readonly consentId: string
  /** Address of the person's browser. */
  readonly origin: string
  readonly requestId: string
  readonly at: Date
}

export interface CustomerConsents {
  /** Newest first. */
  list(customer: Customer): Promise<readonly StandingConsent[]>
  /**
   * Takes a consent back, with every token under it, in one transaction: once this has answered, no
   * transfer under it is made any more. False: there is no such consent of this customer. Repeated,
   * it changes nothing.
   */
  withdraw(customer: Customer, withdrawal: Withdrawal): Promise<boolean>
}
