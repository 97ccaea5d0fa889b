import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { findAccount } from '../ledger/index.ts'
import { ApiError } from '../../platform/errors.ts'
import { invalidRequest } from '../../platform/http/validation.ts'
import { knownId } from '../../platform/ids.ts'
import { BankAccountParams } from './account.schema.ts'
import { accountErrors, refuse } from './banking.errors.ts'
import type { BankingDeps } from './banking-deps.ts'
import { assertAllowed } from './see-account.ts'
import { type StatementQuestion, listBooked, listPending } from './statement.ts'
import { Statement, StatementQuery } from './statement.schema.ts'
import { CUSTOMER_FUNDS, type View, canSeeAccount, viewFault, viewOf } from './view.ts'

/** The history of an account. */
export const statementRoutes =
  ({ db, paging, isBank }: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const list = {
      config: { scope: 'transactions:read', errors: accountErrors },
      schema: {
        operationId: 'listAccountTransactions',
        tags: ['banking'],
        summary: 'List what was paid into and out of an account',
        description:
          'In the order of booking, newest first. Where the consent has a window of time, nothing outside it is shown ' +
          'or counted.',
        params: BankAccountParams,
        querystring: StatementQuery,
        response: { 200: Statement },
      },
    } as const
    app.get('/api/accounts/:id/transactions', list, async (request, reply) => {
      const { actor, arrivedAt, query, params } = request
      const { tenantId } = actor
      const view = await viewOf(db, actor, isBank)
      assertAllowed(viewFault(view, 'transactions:read', arrivedAt))
      const accountId = knownId(params.id)
      // A consent names accounts of customers only; for the bank the ledger must say which they are.
      const role =
        view.kind === 'bank' ? (await findAccount(db, tenantId, accountId))?.role : CUSTOMER_FUNDS
      if (role === undefined || !canSeeAccount(view, { accountId, role })) {
        throw new ApiError(refuse('bank_account_not_found'))
      }
      const page = paging.pageOf(request)
      const asked = questionOf(request, { accountId, query, view })
      const isPending = query.status === 'pending'
      const rows = await (isPending ? listPending : listBooked)(db, tenantId, asked, page)
      reply.header('cache-control', 'no-store')
      return paging.answer(request, reply, page, rows, {
        key: ({ place }) => place,
        item: ({ line }) => line,
      })
    })
  }

function questionOf(
  { actor, arrivedAt }: FastifyRequest,
  { accountId, query, view }: { accountId: string; query: StatementQuery; view: View },
): StatementQuestion {
  const { direction, min_amount: min, max_amount: max } = query
  if (query.status === 'pending' && (direction ?? min ?? max) !== undefined) {
    throw invalidRequest([BOOKED_ONLY])
  }
  const consent = view.kind === 'consent' ? view.consent : undefined
  const mayReadBalance =
    actor.scopes.has('balance:read') && viewFault(view, 'balance:read', arrivedAt) === undefined
  return {
    accountId,
    from: latest(query.from, consent?.transactions_from ?? null),
    to: earliest(query.to, consent?.transactions_to ?? null),
    showsBalance: mayReadBalance,
    ...(direction !== undefined && { direction }),
    ...(min !== undefined && { minAmount: BigInt(min) }),
    ...(max !== undefined && { maxAmount: BigInt(max) }),
  }
}

const BOOKED_ONLY = {
  parameter: 'status',
  code: 'not_allowed',
  detail: 'direction and amounts filter what is booked',
} as const

function latest(text: string | undefined, bound: Date | null): string | undefined {
  if (bound === null) return text
  return text === undefined || new Date(text) < bound ? bound.toISOString() : text
}

function earliest(text: string | undefined, bound: Date | null): string | undefined {
  if (bound === null) return text
  return text === undefined || new Date(text) > bound ? bound.toISOString() : text
}
