import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError } from '../../platform/errors.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { refuse } from './banking.errors.ts'
import type { BankingDeps } from './banking-deps.ts'
import { findBeneficiaries, listBeneficiaries } from './beneficiary.queries.ts'
import {
  Beneficiary,
  BeneficiaryList,
  BeneficiaryParams,
  CreateBeneficiaryBody,
  ListBeneficiariesQuery,
  RenameBeneficiaryBody,
  toBeneficiary,
} from './beneficiary.schema.ts'
import { changeBeneficiaries } from './change-beneficiaries.ts'
import { createBeneficiaries } from './create-beneficiaries.ts'
import { normalIban } from './iban.ts'
import { assertAllowed } from './see-account.ts'
import { canSeeBeneficiary, viewFault, viewOf } from './view.ts'

const SCOPE = 'transfer:write' // payees are kept by whoever may pay them
const errors = ['consent_required', 'beneficiary_not_found']

/** Saved payees. */
export const beneficiaryRoutes =
  ({ submit, db, paging, isBank }: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: {
        scope: SCOPE,
        idempotency: 'optional',
        errors: ['consent_required', 'bank_account_not_found', 'iban_invalid'],
      },
      schema: {
        operationId: 'createBeneficiary',
        tags: ['banking'],
        summary: 'Save a payee',
        description: 'Within this bank by `account_id`, at another by `iban`.',
        body: CreateBeneficiaryBody,
        response: { 201: Beneficiary },
      },
    } as const
    app.post('/api/beneficiaries', create, async (request, reply) => {
      const { arrivedAt, body, actor } = request
      const { name, account_id: accountId } = body
      const iban = body.iban === undefined ? null : normalIban(body.iban)
      if (iban === undefined) throw new ApiError(refuse('iban_invalid', { errors: [WRONG_IBAN] }))
      const id = newId(arrivedAt)
      const input = {
        id,
        name,
        accountId: accountId === undefined ? null : knownId(accountId),
        iban,
        currency: body.currency ?? null,
        isBank: await isBank(actor),
      }
      const answer = await submit(
        request,
        createBeneficiaries,
        input,
        (row) => ({
          status: 201,
          body: toBeneficiary(row),
          location: `/api/beneficiaries/${publicId('ben', row.id)}`,
        }),
        id,
      )
      reply.header('cache-control', 'no-store')
      return sendAnswer(reply, answer)
    })

    const list = {
      config: { scope: SCOPE, errors: ['consent_required'] },
      schema: {
        operationId: 'listBeneficiaries',
        tags: ['banking'],
        summary: 'List saved payees',
        querystring: ListBeneficiariesQuery,
        response: { 200: BeneficiaryList },
      },
    } as const
    app.get('/api/beneficiaries', list, async (request, reply) => {
      const { actor, arrivedAt } = request
      assertAllowed(viewFault(await viewOf(db, actor, isBank), SCOPE, arrivedAt))
      const page = paging.pageOf(request)
      const partyId = actor.user?.partyId ?? null
      const rows = await listBeneficiaries(db, actor.tenantId, partyId, page)
      reply.header('cache-control', 'no-store')
      return paging.answer(request, reply, page, rows, {
        key: (row) => [row.id],
        item: toBeneficiary,
      })
    })

    const get = {
      config: { scope: SCOPE, errors },
      schema: {
        operationId: 'getBeneficiary',
        tags: ['banking'],
        summary: 'Read a saved payee',
        params: BeneficiaryParams,
        response: { 200: Beneficiary },
      },
    } as const
    app.get('/api/beneficiaries/:id', get, async (request, reply) => {
      const { actor, arrivedAt, params } = request
      const { tenantId } = actor
      assertAllowed(viewFault(await viewOf(db, actor, isBank), SCOPE, arrivedAt))
      const id = knownId(params.id)
      const row = (await findBeneficiaries(db, [{ tenantId, id }])).get(`${tenantId} ${id}`)
      if (row === undefined || !canSeeBeneficiary(actor, row)) {
        throw new ApiError(refuse('beneficiary_not_found'))
      }
      return sendVersioned(request, reply, row.version, () => toBeneficiary(row), 'no-store')
    })

    const rename = {
      config: { scope: SCOPE, errors },
      schema: {
        operationId: 'renameBeneficiary',
        tags: ['banking'],
        summary: 'Rename a saved payee',
        params: BeneficiaryParams,
        body: RenameBeneficiaryBody,
        response: { 200: Beneficiary },
      },
    } as const
    app.patch('/api/beneficiaries/:id', rename, async (request, reply) => {
      const input = {
        beneficiaryId: knownId(request.params.id),
        change: { name: request.body.name },
        isBank: await isBank(request.actor),
      }
      const answer = await submit(request, changeBeneficiaries, input, (row) => ({
        status: 200,
        body: toBeneficiary(row),
      }))
      reply.header('cache-control', 'no-store')
      return sendAnswer(reply, answer)
    })

    const remove = {
      config: { scope: SCOPE, errors },
      schema: {
        operationId: 'deleteBeneficiary',
        tags: ['banking'],
        summary: 'Delete a saved payee',
        params: BeneficiaryParams,
        response: { 204: { description: 'It is on no list any more.' } },
      },
    } as const
    app.delete('/api/beneficiaries/:id', remove, async (request, reply) => {
      const input = {
        beneficiaryId: knownId(request.params.id),
        change: 'delete',
        isBank: await isBank(request.actor),
      } as const
      const answer = await submit(request, changeBeneficiaries, input, () => ({
        status: 204,
        body: {},
      }))
      return answer.status === 204 ? reply.code(204).send() : sendAnswer(reply, answer)
    })
  }

const WRONG_IBAN = {
  pointer: '#/iban',
  code: 'bad_format',
  detail: 'its check digits do not fit',
} as const
