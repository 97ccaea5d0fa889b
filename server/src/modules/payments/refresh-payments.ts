import { type Command, tenantOf } from '../../platform/command.ts'
import { accept } from '../../platform/errors.ts'
import { afterCommit } from '../../platform/db/transaction.ts'
import { bringForwardLooks } from './attempt.queries.ts'
import { attemptsAreDue } from './attempts-due.ts'
import { refuse } from './payment.errors.ts'
import { type PaymentRow, lockPayments } from './payment.queries.ts'

/** Makes what a payment waits for due now: the next inquiry, or the next send of what was not sent. */
export const refreshPayments: Command<
  { readonly paymentId: string },
  PaymentRow,
  ReadonlyMap<string, PaymentRow>
> = {
  name: 'refresh_payments',
  lock: (tx, requests) =>
    lockPayments(
      tx,
      requests.map(({ tenantId, input }) => ({ tenantId, id: input.paymentId })),
    ),
  async run(tx, requests, held) {
    const tenantId = tenantOf(requests)
    await bringForwardLooks(tx, tenantId, [...held.keys()], requests[0]?.at as Date)
    afterCommit(tx, () => attemptsAreDue(tenantId))
    return requests.map(({ input }) => {
      const payment = held.get(input.paymentId)
      return payment === undefined ? refuse('payment_not_found') : accept(payment)
    })
  },
}
