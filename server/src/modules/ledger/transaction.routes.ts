import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError } from '../../platform/errors.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { postingErrors, refuse } from './ledger.errors.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { TransactionParams } from './ledger.schema.ts'
import { postTransactions } from './post-transactions.ts'
import type { BookedTransaction } from './posting.ts'
import { correlationOf, idRange } from './public-forms.ts'
import { reverseTransactions } from './reverse-transactions.ts'
import { toNewTransaction } from './transaction-request.ts'
import { findTransaction, listTransactions } from './transaction.queries.ts'
import {
  ListTransactionsQuery,
  PostTransactionBody,
  ReverseBody,
  Transaction,
  TransactionList,
  toTransaction,
} from './transaction.schema.ts'

export const transactionRoutes =
  ({ submit, db, paging }: LedgerDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const post = {
      config: { scope: 'ledger:write', idempotency: 'required', errors: postingErrors },
      schema: {
        operationId: 'postLedgerTransaction',
        tags: ['ledger'],
        summary: 'Book a transaction',
        description: 'Debits equal credits in every currency. What is booked is never changed.',
        body: PostTransactionBody,
        response: { 201: Transaction },
      },
    } as const
    app.post('/ledger/transactions', post, async (request, reply) => {
      const input = toNewTransaction(request.body, request.arrivedAt)
      const answer = await submit(request, postTransactions, input, created, input.transactionId)
      return sendAnswer(reply, answer)
    })

    const reverse = {
      config: { scope: 'ledger:write', idempotency: 'required', errors: reversalErrors },
      schema: {
        operationId: 'reverseLedgerTransaction',
        tags: ['ledger'],
        summary: 'Book the opposite of a transaction',
        description: 'At most once, and whole. A reversal is not reversible: book anew instead.',
        params: TransactionParams,
        body: ReverseBody,
        response: { 201: Transaction },
      },
    } as const
    app.post('/ledger/transactions/:id/reverse', reverse, async (request, reply) => {
      const { effective_on: effectiveOn, description, metadata } = request.body
      const input = {
        transactionId: newId(request.arrivedAt),
        reverses: knownId(request.params.id),
        ...(effectiveOn !== undefined && { effectiveOn }),
        ...(description !== undefined && { description }),
        ...(metadata !== undefined && { metadata }),
      }
      const answer = await submit(request, reverseTransactions, input, created, input.transactionId)
      return sendAnswer(reply, answer)
    })

    const list = {
      config: { scope: 'ledger:read' },
      schema: {
        operationId: 'listLedgerTransactions',
        tags: ['ledger'],
        summary: 'List transactions',
        description:
          'By arrival; with `account_id` in the order in which that account was booked upon. To follow what is ' +
          'new, read the events.',
        querystring: ListTransactionsQuery,
        response: { 200: TransactionList },
      },
    } as const
    app.get('/ledger/transactions', list, async (request, reply) => {
      const page = paging.pageOf(request)
      const {
        type,
        account_id: accountId,
        external_id: externalId,
        correlation_id: correlation,
      } = request.query
      const filters = {
        ...idRange(request.query),
        ...(type !== undefined && { type }),
        ...(accountId !== undefined && { accountId: knownId(accountId) }),
        ...(externalId !== undefined && { externalId }),
        ...(correlation !== undefined && { correlationId: correlationOf(correlation) }),
      }
      const rows = await listTransactions(db, request.actor.tenantId, filters, page)
      return paging.answer(request, reply, page, rows, {
        key: ({ place }) => place,
        item: toTransaction,
      })
    })

    const get = {
      config: { scope: 'ledger:read', errors: ['transaction_not_found'] },
      schema: {
        operationId: 'getLedgerTransaction',
        tags: ['ledger'],
        summary: 'Read a transaction with its entries',
        params: TransactionParams,
        response: { 200: Transaction },
      },
    } as const
    app.get('/ledger/transactions/:id', get, async (request) => {
      const found = await findTransaction(db, request.actor.tenantId, knownId(request.params.id))
      if (found === undefined) throw new ApiError(refuse('transaction_not_found'))
      return toTransaction(found)
    })
  }

const reversalErrors = [
  'transaction_not_found',
  'transaction_not_yours',
  'already_reversed',
  'insufficient_funds',
  'balance_limit_exceeded',
  'balance_out_of_range',
  'account_closed',
  'account_blocked',
  'period_closed',
] as const

function created(transaction: BookedTransaction) {
  return {
    status: 201,
    body: toTransaction(transaction),
    location: `/ledger/transactions/${publicId('txn', transaction.transactionId)}`,
  }
}
