import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { findBalanceNow, findBookedBalance } from '../ledger/index.ts'
import { ApiError } from '../../platform/errors.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { invalidRequest } from '../../platform/http/validation.ts'
import { knownId } from '../../platform/ids.ts'
import {
  Balance,
  BalanceQuery,
  BankAccountList,
  ListBankAccountsQuery,
  toBalance,
  toBankAccount,
  toPastBalance,
  versionOfBalance,
} from './account.schema.ts'
import { accountErrors, refuse } from './banking.errors.ts'
import type { BankingDeps } from './banking-deps.ts'
import { findAccountFacts } from './holder.queries.ts'
import { assertAllowed, listVisible, onlyAccount } from './see-account.ts'
import { type View, canSeeAccount, viewFault, viewOf } from './view.ts'

/** Accounts and balances, for the bank and for apps that a customer let see them. */
export const accountRoutes =
  ({ db, paging, isBank }: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const list = {
      config: { scope: 'accounts:read', errors: accountErrors },
      schema: {
        operationId: 'listAccounts',
        tags: ['banking'],
        summary: 'List the accounts that may be seen',
        description:
          'For an app: those that its customer chose, as long as they are the customer’s.',
        querystring: ListBankAccountsQuery,
        response: { 200: BankAccountList },
      },
    } as const
    app.get('/api/accounts', list, async (request, reply) => {
      const { actor, arrivedAt } = request
      const view = await viewOf(db, actor, isBank)
      assertAllowed(viewFault(view, 'accounts:read', arrivedAt))
      const page = paging.pageOf(request)
      const rows = await listVisible(db, actor.tenantId, view, page)
      const ids = rows.map((row) => row.account_id)
      const facts = await findAccountFacts(db, actor.tenantId, ids)
      reply.header('cache-control', 'no-store')
      return paging.answer(request, reply, page, rows, {
        key: (row) => [row.account_id],
        item: (row) => toBankAccount(row, facts.get(row.account_id)),
      })
    })

    const balance = {
      config: { scope: 'balance:read', errors: [...accountErrors, 'account_id_required'] },
      schema: {
        operationId: 'getAccountBalance',
        tags: ['banking'],
        summary: 'Read the balance of an account',
        description:
          'Now: what is booked, what is on its way, and what can be paid out. With `as_of` in the past: what was ' +
          'booked by then, and nothing else.',
        querystring: BalanceQuery,
        response: { 200: Balance },
      },
    } as const
    app.get('/api/account/balance', balance, async (request, reply) => {
      const { actor, arrivedAt, query } = request
      const { tenantId } = actor
      const view = await viewOf(db, actor, isBank)
      assertAllowed(viewFault(view, 'balance:read', arrivedAt))
      const accountId =
        query.account_id === undefined
          ? await onlyAccount(db, tenantId, view)
          : knownId(query.account_id)
      const asOf = query.as_of && past(query.as_of, arrivedAt, view)
      const row =
        asOf === undefined
          ? await findBalanceNow(db, tenantId, accountId)
          : await findBookedBalance(db, tenantId, { accountId, asOf })
      if (row === undefined || !canSeeAccount(view, { accountId, role: row.chart_role })) {
        throw new ApiError(refuse('bank_account_not_found'))
      }
      const cache = 'no-store'
      if ('read_at' in row) {
        const body = () => toBalance(row, accountId)
        return sendVersioned(request, reply, versionOfBalance(row), body, cache)
      }
      reply.header('cache-control', cache)
      return toPastBalance(row, { accountId, asOf: asOf as string })
    })
  }

/** A balance of the past tells what happened since, so the window of a consent bounds it too. */
function past(text: string, now: Date, view: View): string {
  const at = new Date(text)
  if (at > now) throw invalidRequest([FUTURE])
  const consent = view.kind === 'consent' ? view.consent : undefined
  const { transactions_from: from = null, transactions_to: to = null } = consent ?? {}
  if ((from !== null && at < from) || (to !== null && at > to)) {
    throw new ApiError(refuse('consent_required', { detail: 'The consent is for another time.' }))
  }
  return text
}

const FUTURE = { parameter: 'as_of', code: 'too_large', detail: 'must be in the past' } as const
