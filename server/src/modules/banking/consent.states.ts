import { type StateOf, machine } from '../../platform/state-machine.ts'

/**
 * What a customer allowed an app. The table holds what somebody did; that time has run out is told
 * by `valid_until` and is no state.
 */
export const consentStates = machine('consent', {
  awaiting_authorisation: { authorised: 'authorised', rejected: 'rejected', revoked: 'revoked' },
  authorised: { revoked: 'revoked', consumed: 'consumed' },
  revoked: {},
  rejected: {},
  consumed: {},
})
export type ConsentState = StateOf<typeof consentStates>

export type ConsentStatus = ConsentState | 'expired'
export const consentStatuses: readonly ConsentStatus[] = [...consentStates.states, 'expired']

/** ISO 20022 names of the states, as the open banking standards use them. */
export const isoOfConsent: Readonly<Record<ConsentStatus, string>> = {
  awaiting_authorisation: 'AWAU',
  authorised: 'AUTH',
  revoked: 'CANC',
  rejected: 'RJCT',
  consumed: 'COND',
  expired: 'EXPD',
}

/** A consent whose time has run out is expired for everybody, whatever was last written. */
export function statusOfConsent(
  { state, valid_until: until }: { readonly state: ConsentState; readonly valid_until: Date },
  now: Date,
): ConsentStatus {
  const runs = state === 'awaiting_authorisation' || state === 'authorised'
  return runs && until <= now ? 'expired' : state
}
