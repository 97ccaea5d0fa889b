import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError, valueOf } from '../../platform/errors.ts'
import { knownId } from '../../platform/ids.ts'
import { findAccount } from './account-list.queries.ts'
import { asOfIn } from './as-of.ts'
import {
  BalanceAsOf,
  BalanceQuery,
  EntryList,
  ListEntriesQuery,
  toAccountEntry,
  toBalanceAsOf,
} from './balance.schema.ts'
import { businessDay } from './business-day.ts'
import { findBookedBalance, findEffectiveBalance, listEntries } from './entry.queries.ts'
import { refuse } from './ledger.errors.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { AccountParams } from './ledger.schema.ts'
import {
  findTimeZone,
  sumBalances,
  sumBookedBalances,
  sumEffectiveBalances,
} from './trial-balance.queries.ts'
import { TrialBalance, TrialBalanceQuery, toTrialBalance } from './trial-balance.schema.ts'

/** What was booked: entries of an account, balances of the past, the trial balance. */
export const entryRoutes =
  ({ db, reports, paging }: LedgerDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const entries = {
      config: { scope: 'ledger:read', errors: ['ledger_account_not_found'] },
      schema: {
        operationId: 'listLedgerEntries',
        tags: ['ledger'],
        summary: 'List the entries of an account',
        params: AccountParams,
        querystring: ListEntriesQuery,
        response: { 200: EntryList },
      },
    } as const
    app.get('/ledger/accounts/:id/entries', entries, async (request, reply) => {
      const { tenantId } = request.actor
      const accountId = knownId(request.params.id)
      const { 'booked_at[gte]': from, 'booked_at[lt]': until } = request.query
      const page = paging.pageOf(request)
      const asked = {
        accountId,
        ...(from !== undefined && { from }),
        ...(until !== undefined && { until }),
      }
      const rows = await listEntries(db, tenantId, asked, page)
      if (rows.length === 0 && (await findAccount(db, tenantId, accountId)) === undefined) {
        throw new ApiError(refuse('ledger_account_not_found'))
      }
      return paging.answer(request, reply, page, rows, {
        key: (row) => [`${row.booked_micros}`, `${row.seq}`],
        item: toAccountEntry,
      })
    })

    const balance = {
      config: { scope: 'ledger:read', errors: ['ledger_account_not_found'] },
      schema: {
        operationId: 'getLedgerBalance',
        tags: ['ledger'],
        summary: 'Read the balance of an account as of a time',
        params: AccountParams,
        querystring: BalanceQuery,
        response: { 200: BalanceAsOf },
      },
    } as const
    app.get('/ledger/accounts/:id/balance', balance, async (request) => {
      const { tenantId } = request.actor
      const accountId = knownId(request.params.id)
      const { basis, asOf } = await momentOf(tenantId, request.query, request.arrivedAt)
      const row =
        basis === 'booked'
          ? await findBookedBalance(db, tenantId, { accountId, asOf })
          : await findEffectiveBalance(db, tenantId, { accountId, day: asOf })
      if (row === undefined) throw new ApiError(refuse('ledger_account_not_found'))
      return toBalanceAsOf(row, { accountId, basis, asOf })
    })

    const trialBalance = {
      config: { scope: 'ledger:read', errors: ['total_out_of_range'] },
      schema: {
        operationId: 'getTrialBalance',
        tags: ['ledger'],
        summary: 'Read the trial balance',
        description:
          'Every line of the chart with its net on one side, per currency; the totals are equal. On the effective ' +
          'basis it reads every entry of the books.',
        querystring: TrialBalanceQuery,
        response: { 200: TrialBalance },
      },
    } as const
    app.get('/ledger/trial_balance', trialBalance, async (request) => {
      const { tenantId } = request.actor
      if (request.query.as_of === undefined && asOfIn(request.query).basis === 'booked') {
        const rows = await sumBalances(reports, tenantId)
        return valueOf(toTrialBalance(rows, { basis: 'booked', asOf: null }))
      }
      const { basis, asOf } = await momentOf(tenantId, request.query, request.arrivedAt)
      const rows =
        basis === 'booked'
          ? await sumBookedBalances(reports, tenantId, asOf)
          : await sumEffectiveBalances(reports, tenantId, asOf)
      return valueOf(toTrialBalance(rows, { basis, asOf }))
    })

    /** The moment asked about; the default is now, or today in the time zone of the books. */
    async function momentOf(tenantId: string, query: BalanceQuery, now: Date) {
      const asked = asOfIn(query)
      if (asked.basis === 'booked') {
        return { basis: asked.basis, asOf: asked.instant ?? now.toISOString() }
      }
      const day = asked.day ?? businessDay(now, await findTimeZone(db, tenantId))
      return { basis: asked.basis, asOf: day }
    }
  }
