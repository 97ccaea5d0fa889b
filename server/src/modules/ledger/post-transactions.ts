import { actOf, recordAudit } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import type { Outcome } from '../../platform/errors.ts'
import { decide } from './decide.ts'
import { type LockedBooks, lockBooks } from './lock-books.ts'
import { writeBooks } from './post-entries.ts'
import type { BookedTransaction, LedgerResult, Post } from './posting.ts'

/** What a client asks to be booked. A client never forces and has no dedupe key. */
export type NewTransaction = Pick<
  Post,
  | 'transactionId'
  | 'type'
  | 'legs'
  | 'effectiveOn'
  | 'ifClosed'
  | 'correlationId'
  | 'externalId'
  | 'corrects'
  | 'description'
  | 'metadata'
  | 'expectedVersions'
>

/** Books transactions of clients, each judged alone. */
export const postTransactions: Command<NewTransaction, BookedTransaction, LockedBooks> = {
  name: 'post_ledger_transactions',
  mixesTenants: true,
  weight: weightOf,
  lock: (tx, requests) => lockBooks(tx, requests.map(postOf)),
  run,
}

type Request = Asked<NewTransaction>

const ENTRIES_PER_ITEM = 4 // a batch of 500 items takes 2,000 entries

/** How much of a batch a transaction takes up: its rows are what costs. */
export function weightOf({ legs }: Pick<NewTransaction, 'legs'>): number {
  return Math.max(1, Math.ceil(legs.length / ENTRIES_PER_ITEM))
}

function run(
  tx: Tx,
  requests: readonly Request[],
  books: LockedBooks,
): Promise<Outcome<BookedTransaction>[]> {
  const outcomes = requests.map((request) => transactionIn(decide(books, postOf(request))))
  writeBooks(tx, books)
  recordAudit(
    tx,
    outcomes.flatMap((outcome, index) =>
      outcome.ok ? [actOfPosting(outcome.value, requests[index] as Request)] : [],
    ),
  )
  return Promise.resolve(outcomes)
}

export function postOf({ tenantId, requestId, at, input }: Request): Post {
  return { ...input, kind: 'post', tenantId, requestId, at }
}

/** A command that books answers its transaction; without a dedupe key it always made one. */
export function transactionIn(outcome: Outcome<LedgerResult>): Outcome<BookedTransaction> {
  return outcome.ok ? { ok: true, value: outcome.value.transaction as BookedTransaction } : outcome
}

function actOfPosting(transaction: BookedTransaction, request: Request) {
  const { transactionId, type, amount, currency } = transaction
  return actOf(request, {
    action: 'ledger.transaction.post',
    resourceKind: 'ledger_transaction',
    resourceId: transactionId,
    detail: { type, amount: Number(amount), currency },
  })
}
