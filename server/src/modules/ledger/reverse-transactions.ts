import { actOf, recordAudit } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import type { Outcome } from '../../platform/errors.ts'
import { decide } from './decide.ts'
import { type LockedBooks, lockBooks } from './lock-books.ts'
import { writeBooks } from './post-entries.ts'
import { transactionIn } from './post-transactions.ts'
import type { BookedTransaction, Reverse } from './posting.ts'

export type NewReversal = Pick<
  Reverse,
  'transactionId' | 'reverses' | 'effectiveOn' | 'description' | 'metadata'
>

/** Books the opposite of transactions, each at most once. A reversal is not reversible. */
export const reverseTransactions: Command<NewReversal, BookedTransaction, LockedBooks> = {
  name: 'reverse_ledger_transactions',
  mixesTenants: true,
  lock: (tx, requests) => lockBooks(tx, requests.map(reversalOf)),
  run,
}

type Request = Asked<NewReversal>

function run(
  tx: Tx,
  requests: readonly Request[],
  books: LockedBooks,
): Promise<Outcome<BookedTransaction>[]> {
  const outcomes = requests.map((request) => transactionIn(decide(books, reversalOf(request))))
  writeBooks(tx, books)
  recordAudit(
    tx,
    outcomes.flatMap((outcome, index) =>
      outcome.ok ? [actOfReversal(outcome.value, requests[index] as Request)] : [],
    ),
  )
  return Promise.resolve(outcomes)
}

function reversalOf({ tenantId, requestId, at, input }: Request): Reverse {
  return { ...input, kind: 'reverse', tenantId, requestId, at }
}

function actOfReversal({ transactionId, amount, currency }: BookedTransaction, request: Request) {
  return actOf(request, {
    action: 'ledger.transaction.reverse',
    resourceKind: 'ledger_transaction',
    resourceId: request.input.reverses,
    detail: { reversal: transactionId, amount: Number(amount), currency },
  })
}
