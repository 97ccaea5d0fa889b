import { actOf, recordAudit } from '../audit/index.ts'
import type { Asked, Command } from '../../platform/command.ts'
import type { Tx } from '../../platform/db/types.ts'
import { type Outcome, accept } from '../../platform/errors.ts'
import { publicId } from '../../platform/ids.ts'
import { decide } from './decide.ts'
import { decideTogether } from './decide-together.ts'
import { refuse } from './ledger.errors.ts'
import { type LockedBooks, lockBooks } from './lock-books.ts'
import { writeBooks } from './post-entries.ts'
import { type NewTransaction, postOf, transactionIn, weightOf } from './post-transactions.ts'
import type { BookedTransaction } from './posting.ts'

/** What one request of many transactions asks for; the whole of it, or a chunk of it. */
export interface NewBatch {
  readonly batchId: string
  /** All or none. Otherwise each transaction stands alone. */
  readonly atomic: boolean
  readonly transactions: readonly NewTransaction[]
}

export type BatchResults = readonly Outcome<BookedTransaction>[]

/**
 * Books requests of many transactions. The request is the item here: it carries one idempotency row
 * and one audit row, which is what makes a transfer of a bulk cheaper than a single one.
 */
export const postTransactionBatches: Command<NewBatch, BatchResults, LockedBooks> = {
  name: 'post_ledger_transaction_batches',
  mixesTenants: true,
  weight: ({ transactions }) =>
    transactions.reduce((sum, transaction) => sum + weightOf(transaction), 0),
  lock: (tx, requests) => lockBooks(tx, requests.flatMap(postsOf)),
  run,
}

type Request = Asked<NewBatch>

function run(
  tx: Tx,
  requests: readonly Request[],
  books: LockedBooks,
): Promise<Outcome<BatchResults>[]> {
  const outcomes = requests.map((request) => judge(books, request))
  writeBooks(tx, books)
  recordAudit(
    tx,
    outcomes.flatMap((outcome, index) =>
      outcome.ok ? actsOfBatch(outcome.value, requests[index] as Request) : [],
    ),
  )
  return Promise.resolve(outcomes)
}

function judge(books: LockedBooks, request: Request): Outcome<BatchResults> {
  const posts = postsOf(request)
  const decided = request.input.atomic
    ? decideTogether(books, posts)
    : posts.map((post) => decide(books, post))
  const results = decided.map(transactionIn)
  const refused = request.input.atomic && results.some(({ ok }) => !ok)
  return refused ? refuse('group_refused', { results: results.map(toResult) }) : accept(results)
}

function postsOf(request: Request) {
  return request.input.transactions.map((input) => postOf({ ...request, input }))
}

function actsOfBatch(results: BatchResults, request: Request) {
  const booked = results.filter(({ ok }) => ok).length
  if (booked === 0) return []
  const { batchId, atomic } = request.input
  const act = actOf(request, {
    action: 'ledger.transaction_batch.post',
    resourceKind: 'ledger_transaction_batch',
    resourceId: batchId,
    detail: { atomic, booked, refused: results.length - booked },
  })
  return [act]
}

/** What became of one transaction, in public. */
export function toResult(outcome: Outcome<BookedTransaction>) {
  if (outcome.ok) {
    const { transactionId } = outcome.value
    return { status: 'booked' as const, transaction_id: publicId('txn', transactionId) }
  }
  const { code, title, status, facts } = outcome.refusal
  return { status: 'refused' as const, error: { code, title, status, ...facts } }
}
