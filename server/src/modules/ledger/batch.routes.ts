import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Answer } from '../../platform/answer.ts'
import type { FieldError } from '../../platform/errors.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { invalidRequest } from '../../platform/http/validation.ts'
import { newId } from '../../platform/ids.ts'
import { MAX_CHUNK_WEIGHT, chunksOf, keyOfChunk, totalWeight } from './chunk-batch.ts'
import { postingErrors } from './ledger.errors.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import {
  type BatchResults,
  type NewBatch,
  postTransactionBatches,
  toResult,
} from './post-transaction-batches.ts'
import { toNewTransaction } from './transaction-request.ts'
import { Batch, PostBatchBody } from './transaction.schema.ts'

const BODY_LIMIT = 1024 * 1024 // 1,000 transactions of two entries take 300 KiB
const MAX_MEMBERS = 60_000

export const batchRoutes =
  ({ submit }: LedgerDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const post = {
      bodyLimit: BODY_LIMIT,
      config: {
        scope: 'ledger:write',
        idempotency: 'required',
        maxMembers: MAX_MEMBERS,
        errors: [...postingErrors, 'group_refused'],
      },
      schema: {
        operationId: 'postLedgerTransactionBatch',
        tags: ['ledger'],
        summary: 'Book many transactions',
        description:
          'Each stands alone unless `atomic`: results come in the order asked. Above 500 transactions or 2,000 ' +
          'entries the request commits in chunks; if it breaks off, repeat it under the same key and it goes on. ' +
          'Give each transaction an `external_id`, so that none is booked twice under another key.',
        body: PostBatchBody,
        response: { 200: Batch },
      },
    } as const
    app.post('/ledger/transaction_batches', post, async (request, reply) => {
      const { transactions, atomic = false } = request.body
      const at = request.arrivedAt
      const batch: NewBatch = {
        batchId: newId(at),
        atomic,
        transactions: transactions.map((body) => toNewTransaction(body, at)),
      }
      if (atomic && totalWeight(batch.transactions) > MAX_CHUNK_WEIGHT) {
        throw invalidRequest([TOO_LARGE])
      }
      return sendAnswer(reply, await bookInChunks(request, batch))
    })

    async function bookInChunks(request: FastifyRequest, batch: NewBatch): Promise<Answer> {
      const answers: Answer[] = []
      for (const [index, chunk] of chunksOf(batch).entries()) {
        const answer = await submit(
          underKeyOf(request, index),
          postTransactionBatches,
          chunk,
          (results) => ({ status: 200, body: toBatch(chunk.atomic, results) }),
          chunk.batchId,
        )
        if (answer.status !== 200) return answer
        answers.push(answer)
      }
      return answers.length === 1 ? (answers[0] as Answer) : joined(answers)
    }
  }

const TOO_LARGE: FieldError = {
  pointer: '#/transactions',
  code: 'too_large',
  detail: 'at most 500 transactions and 2,000 entries when atomic',
}

function underKeyOf(request: FastifyRequest, index: number): FastifyRequest {
  const { idempotency } = request
  if (idempotency === undefined || index === 0) return request
  const value = { ...idempotency, key: keyOfChunk(idempotency.key, index) }
  return Object.create(request, { idempotency: { value } }) as FastifyRequest
}

function toBatch(atomic: boolean, outcomes: BatchResults): Batch {
  const results = outcomes.map(toResult)
  const booked = results.filter(({ status }) => status === 'booked').length
  return {
    object: 'ledger_transaction_batch',
    atomic,
    booked,
    refused: results.length - booked,
    results,
  }
}

function joined(answers: readonly Answer[]): Answer {
  const parts = answers.map(({ body }) => JSON.parse(body) as Batch)
  const batch: Batch = {
    object: 'ledger_transaction_batch',
    atomic: false,
    booked: parts.reduce((sum, part) => sum + part.booked, 0),
    refused: parts.reduce((sum, part) => sum + part.refused, 0),
    results: parts.flatMap((part) => part.results),
  }
  const replayed = answers.every((answer) => answer.replayed === true)
  return { status: 200, body: JSON.stringify(batch), ...(replayed && { replayed }) }
}
