import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { ApiError } from '../../platform/errors.ts'
import { allowedVersions, etagOf } from '../../platform/http/conditional.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { findAccount, listAccounts } from './account-list.queries.ts'
import type { AccountRow } from './account-row.ts'
import {
  Account,
  AccountList,
  CreateAccountBody,
  ListAccountsQuery,
  UpdateAccountBody,
  toAccount,
} from './account.schema.ts'
import { toAccountUpdate, toNewAccount } from './account-request.ts'
import { closeAccounts } from './close-accounts.ts'
import { createAccounts } from './create-accounts.ts'
import { refuse } from './ledger.errors.ts'
import type { LedgerDeps } from './ledger-deps.ts'
import { AccountParams } from './ledger.schema.ts'
import { updateAccounts } from './update-accounts.ts'

export const accountRoutes =
  ({ submit, db, paging }: LedgerDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: {
        scope: 'ledger:write',
        idempotency: 'optional',
        errors: ['chart_line_not_found', 'account_not_postable', 'account_key_taken'],
      },
      schema: {
        operationId: 'createLedgerAccount',
        tags: ['ledger'],
        summary: 'Open an account',
        description:
          'One account holds one currency and belongs to one line of the chart, named by `role` or `chart_code`.',
        body: CreateAccountBody,
        response: { 201: Account },
      },
    } as const
    app.post('/ledger/accounts', create, async (request, reply) => {
      const accountId = newId(request.arrivedAt)
      const input = toNewAccount(request.body, accountId)
      const made = (row: AccountRow) => ({
        status: 201,
        body: toAccount(row),
        location: `/ledger/accounts/${publicId('acc', row.account_id)}`,
      })
      return sendAnswer(reply, await submit(request, createAccounts, input, made, accountId))
    })

    const list = {
      config: { scope: 'ledger:read' },
      schema: {
        operationId: 'listLedgerAccounts',
        tags: ['ledger'],
        summary: 'List accounts',
        querystring: ListAccountsQuery,
        response: { 200: AccountList },
      },
    } as const
    app.get('/ledger/accounts', list, async (request, reply) => {
      const { currency, role, external_id: externalId, status } = request.query
      const page = paging.pageOf(request)
      const filters = {
        ...(currency !== undefined && { currency }),
        ...(role !== undefined && { role }),
        ...(externalId !== undefined && { externalId }),
        ...(status !== undefined && { status }),
      }
      const rows = await listAccounts(db, request.actor.tenantId, filters, page)
      return paging.answer(request, reply, page, rows, {
        key: (row) => [row.account_id],
        item: toAccount,
      })
    })

    const get = {
      config: { scope: 'ledger:read', errors: ['ledger_account_not_found'] },
      schema: {
        operationId: 'getLedgerAccount',
        tags: ['ledger'],
        summary: 'Read an account with its balances',
        description:
          'The ETag is for `If-Match`: it names the version of name, limits, block and metadata. Balances move ' +
          'without it, so this is never answered with 304.',
        params: AccountParams,
        response: { 200: Account },
      },
    } as const
    app.get('/ledger/accounts/:id', get, async (request, reply) => {
      const row = await findAccount(db, request.actor.tenantId, knownId(request.params.id))
      if (row === undefined) throw new ApiError(refuse('ledger_account_not_found'))
      return versioned(reply, row.version).send(toAccount(row))
    })

    const update = {
      config: {
        scope: 'ledger:write',
        errors: [
          'ledger_account_not_found',
          'account_closed',
          'metadata_too_large',
          'version_conflict',
        ],
      },
      schema: {
        operationId: 'updateLedgerAccount',
        tags: ['ledger'],
        summary: 'Change name, limits, block or metadata',
        description:
          'A merge patch. A limit may be set beyond the balance: then only what does not make it worse passes.',
        params: AccountParams,
        body: UpdateAccountBody,
        response: { 200: Account },
      },
    } as const
    app.patch('/ledger/accounts/:id', update, async (request, reply) => {
      const input = toAccountUpdate(request.body, {
        accountId: knownId(request.params.id),
        allowed: allowedVersions(request),
      })
      const answer = await submit(request, updateAccounts, input, (row) => ({
        status: 200,
        body: toAccount(row),
      }))
      return sendAnswer(reply, answer)
    })

    const close = {
      config: {
        scope: 'ledger:write',
        idempotency: 'optional',
        errors: ['ledger_account_not_found', 'account_not_empty', 'account_in_use'],
      },
      schema: {
        operationId: 'closeLedgerAccount',
        tags: ['ledger'],
        summary: 'Close an empty account',
        params: AccountParams,
        response: { 200: Account },
      },
    } as const
    app.post('/ledger/accounts/:id/close', close, async (request, reply) => {
      const accountId = knownId(request.params.id)
      const answer = await submit(
        request,
        closeAccounts,
        { accountId },
        (row) => ({ status: 200, body: toAccount(row) }),
        accountId,
      )
      return sendAnswer(reply, answer)
    })
  }

// Not `sendVersioned`: it would answer 304 for a version whose balances have moved on.
function versioned(reply: FastifyReply, version: number): FastifyReply {
  return reply.header('etag', etagOf(version)).header('cache-control', 'no-store')
}
