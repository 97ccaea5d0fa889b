import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { movePayment, openChanges, writeChanges } from './payment-changes.ts'
import { type PaymentRow, lockPayments } from './payment.queries.ts'

/**
 * Ends authorizations whose time is over: the issuer has let the funds go. What was captured stays
 * captured. One with a capture or void on its way is left alone: its answer decides.
 */
export const expireAuthorizations: Command<{ paymentId: string }, PaymentRow | undefined, Held> = {
  name: 'expire_authorizations',
  lock: (tx, requests) =>
    lockPayments(
      tx,
      requests.map(({ tenantId, input }) => ({ tenantId, id: input.paymentId })),
    ),
  run,
}

type Held = ReadonlyMap<string, PaymentRow>

async function run(
  tx: Tx,
  requests: readonly Asked<{ paymentId: string }>[],
  held: Held,
): Promise<Outcome<PaymentRow | undefined>[]> {
  const changes = openChanges()
  const outcomes = requests.map((request) => {
    const payment = held.get(request.input.paymentId)
    const over = payment?.authorization_expires_at
    if (payment?.state !== 'authorized' || over == null || over > request.at) {
      return accept(undefined)
    }
    payment.authorization_expires_at = null
    if (payment.capture_reserved > 0n || payment.capture_closing) {
      payment.updated_at = request.at
      changes.payments.add(payment)
    } else if (payment.amount_captured > 0n) {
      movePayment(changes, payment, 'closed', { as: 'completed', moment: request })
    } else {
      payment.cancellation_reason = 'authorization_expired'
      movePayment(changes, payment, 'expired', { as: 'canceled', moment: request })
    }
    return accept(payment)
  })
  await writeChanges(tx, changes)
  return outcomes
}
