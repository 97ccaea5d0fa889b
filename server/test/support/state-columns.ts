import { consentStates } from '../../src/modules/banking/consent.states.ts'
import { transferStates } from '../../src/modules/banking/transfer.states.ts'
import {
  attemptStatuses,
  captureStates,
  paymentStates,
  refundStates,
} from '../../src/modules/payments/payment.states.ts'

/** Which column holds the states of which machine or list. A new machine joins this list. */
export const stateColumns: Readonly<Record<string, readonly string[]>> = {
  'banking.consents.state': consentStates.states,
  'banking.transfers.state': transferStates.states,
  'payments.payments.state': paymentStates.states,
  'payments.captures.status': captureStates.states,
  'payments.refunds.status': refundStates.states,
  'payments.attempts.status': attemptStatuses,
}
