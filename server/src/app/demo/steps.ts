import { balanceBooks } from './steps/balance-books.ts'
import { captureInParts } from './steps/capture-in-parts.ts'
import { getToken } from './steps/get-token.ts'
import { openAccounts } from './steps/open-accounts.ts'
import { awaitCardPayment, declineCard, takeCardPayment } from './steps/pay-by-card.ts'
import { exportHistory, findTransfer, readAccountHistory } from './steps/read-history.ts'
import { refundPart, refundRest } from './steps/refund-payment.ts'
import { repeatTransfer, transfer } from './steps/transfer.ts'
import type { Step } from './story.ts'

/** A day in a back office. Each step stands on those before it. */
// oxfmt-ignore
export const steps: readonly Step[] = [
  { title: 'Get a token by client_credentials',                 run: getToken },
  { title: 'Open an account for a shop and one for a supplier', run: openAccounts },
  { title: 'Take a card payment for the shop',                  run: takeCardPayment },
  { title: 'Ask until the card payment is completed',           run: awaitCardPayment },
  { title: 'Refund a part of it',                               run: refundPart },
  { title: 'Refund the rest',                                   run: refundRest },
  { title: 'See a card declined',                               run: declineCard },
  { title: 'Authorize a card and capture it in two parts',      run: captureInParts },
  { title: 'Move money from the shop to the supplier',          run: transfer },
  { title: 'Repeat that request under its key',                 run: repeatTransfer },
  { title: 'List what was booked for the shop',                 run: readAccountHistory },
  { title: 'Find the transfer by what is known of it',          run: findTransfer },
  { title: 'Export what was booked for the shop as CSV',        run: exportHistory },
  { title: 'Draw up a trial balance',                           run: balanceBooks },
]
