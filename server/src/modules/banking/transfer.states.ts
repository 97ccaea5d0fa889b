import { type StateOf, machine } from '../../platform/state-machine.ts'

/**
 * A transfer within the bank is booked at once. One that leaves the bank is `pending`: its amount is
 * held on the debtor, and nothing has been sent anywhere.
 */
export const transferStates = machine('transfer', {
  pending: { cancelled: 'cancelled' },
  booked: {},
  cancelled: {},
})
export type TransferState = StateOf<typeof transferStates>

/** ISO 20022 external payment transaction status codes. */
export const isoOfTransfer: Readonly<Record<TransferState, string>> = {
  pending: 'PDNG',
  booked: 'ACCC',
  cancelled: 'CANC',
}
