import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError } from '../../platform/errors.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import type { ActedHold } from './act-on-holds.ts'
import { toHoldPosting, toNewHold } from './hold-request.ts'
import { findHold, listHolds } from './hold.queries.ts'
import {
  CreateHoldBody,
  Hold,
  HoldList,
  IncreaseHoldBody,
  ListHoldsQuery,
  PostHoldBody,
  PostedHold,
  toHold,
} from './hold.schema.ts'
import { increaseHolds } from './increase-holds.ts'
import { postingErrors, refuse } from './ledger.errors.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { HoldParams } from './ledger.schema.ts'
import { openHolds } from './open-holds.ts'
import { postHolds } from './post-holds.ts'
import type { BookedTransaction } from './posting.ts'
import { correlationOf, idRange } from './public-forms.ts'
import { toTransaction } from './transaction.schema.ts'
import { voidHolds } from './void-holds.ts'

const pendingErrors = ['hold_not_found', 'hold_not_pending', 'hold_expired'] as const
const fundsErrors = [
  'account_not_found',
  'currency_mismatch',
  'insufficient_funds',
  'balance_out_of_range',
  'account_closed',
  'account_blocked',
] as const

export const holdRoutes =
  ({ submit, db, paging }: LedgerDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: {
        scope: 'ledger:write',
        idempotency: 'required',
        errors: ['hold_accounts_equal', 'hold_expired', ...fundsErrors],
      },
      schema: {
        operationId: 'createLedgerHold',
        tags: ['ledger'],
        summary: 'Set an amount aside',
        description:
          'It counts against `available` of the account that would pay until it is posted, voided or expires.',
        body: CreateHoldBody,
        response: { 201: Hold },
      },
    } as const
    app.post('/ledger/holds', create, async (request, reply) => {
      const holdId = newId(request.arrivedAt)
      const made = ({ hold }: ActedHold) => ({
        status: 201,
        body: toHold(hold),
        location: `/ledger/holds/${publicId('hld', hold.holdId)}`,
      })
      const input = toNewHold(request.body, holdId)
      return sendAnswer(reply, await submit(request, openHolds, input, made, holdId))
    })

    const list = {
      config: { scope: 'ledger:read' },
      schema: {
        operationId: 'listLedgerHolds',
        tags: ['ledger'],
        summary: 'List holds',
        querystring: ListHoldsQuery,
        response: { 200: HoldList },
      },
    } as const
    app.get('/ledger/holds', list, async (request, reply) => {
      const page = paging.pageOf(request)
      const { status, account_id: accountId, correlation_id: correlation } = request.query
      const filters = {
        ...idRange(request.query),
        ...(status !== undefined && { status }),
        ...(accountId !== undefined && { accountId: knownId(accountId) }),
        ...(correlation !== undefined && { correlationId: correlationOf(correlation) }),
      }
      const holds = await listHolds(db, request.actor.tenantId, filters, page)
      return paging.answer(request, reply, page, holds, {
        key: ({ holdId }) => [holdId],
        item: toHold,
      })
    })

    const get = {
      config: { scope: 'ledger:read', errors: ['hold_not_found'] },
      schema: {
        operationId: 'getLedgerHold',
        tags: ['ledger'],
        summary: 'Read a hold',
        params: HoldParams,
        response: { 200: Hold },
      },
    } as const
    app.get('/ledger/holds/:id', get, async (request, reply) => {
      const hold = await findHold(db, request.actor.tenantId, knownId(request.params.id))
      if (hold === undefined) throw new ApiError(refuse('hold_not_found'))
      return sendVersioned(request, reply, hold.version, () => toHold(hold))
    })

    const post = {
      config: {
        scope: 'ledger:write',
        idempotency: 'required',
        errors: [
          ...pendingErrors,
          ...postingErrors,
          'hold_amount_exceeded',
          'hold_entries_mismatch',
        ],
      },
      schema: {
        operationId: 'postLedgerHold',
        tags: ['ledger'],
        summary: 'Book what was set aside',
        params: HoldParams,
        body: PostHoldBody,
        response: { 201: PostedHold },
      },
    } as const
    app.post('/ledger/holds/:id/post', post, async (request, reply) => {
      const holdId = knownId(request.params.id)
      const transactionId = newId(request.arrivedAt)
      const input = toHoldPosting(request.body, { holdId, transactionId })
      const posted = ({ hold, transaction }: ActedHold) => ({
        status: 201,
        body: { ...toHold(hold), transaction: toTransaction(transaction as BookedTransaction) },
        location: `/ledger/transactions/${publicId('txn', transactionId)}`,
      })
      return sendAnswer(reply, await submit(request, postHolds, input, posted, transactionId))
    })

    const increase = {
      config: {
        scope: 'ledger:write',
        idempotency: 'required',
        errors: [...pendingErrors, ...fundsErrors],
      },
      schema: {
        operationId: 'increaseLedgerHold',
        tags: ['ledger'],
        summary: 'Set more aside under a hold',
        params: HoldParams,
        body: IncreaseHoldBody,
        response: { 200: Hold },
      },
    } as const
    app.post('/ledger/holds/:id/increase', increase, async (request, reply) => {
      const holdId = knownId(request.params.id)
      const input = { holdId, amount: BigInt(request.body.amount) }
      return sendAnswer(reply, await submit(request, increaseHolds, input, changed, holdId))
    })

    const giveUp = {
      config: {
        scope: 'ledger:write',
        idempotency: 'optional',
        errors: ['hold_not_found', 'hold_not_pending'],
      },
      schema: {
        operationId: 'voidLedgerHold',
        tags: ['ledger'],
        summary: 'Give back what was set aside',
        params: HoldParams,
        response: { 200: Hold },
      },
    } as const
    app.post('/ledger/holds/:id/void', giveUp, async (request, reply) => {
      const holdId = knownId(request.params.id)
      return sendAnswer(reply, await submit(request, voidHolds, { holdId }, changed, holdId))
    })
  }

function changed({ hold }: ActedHold) {
  return { status: 200, body: toHold(hold) }
}
