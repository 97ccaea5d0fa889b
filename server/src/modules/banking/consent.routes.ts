import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Actor } from '../../platform/actor.ts'
import { ApiError } from '../../platform/errors.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { refuse } from './banking.errors.ts'
import type { BankingDeps } from './banking-deps.ts'
import { type ConsentFilters, findConsent, listConsents } from './consent.queries.ts'
import {
  Consent,
  ConsentList,
  ConsentParams,
  CreateConsentBody,
  ListConsentsQuery,
  toConsent,
  toNewConsent,
} from './consent.schema.ts'
import { createConsents } from './create-consents.ts'
import { canSeeConsent } from './view.ts'
import { withdrawConsents } from './withdraw-consents.ts'

/** What customers let apps do: asked for, looked at, and taken back. */
export const consentRoutes =
  ({ submit, db, paging, isBank }: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: {
        scope: 'consents:write',
        idempotency: 'optional',
        errors: ['consent_terms_invalid'],
      },
      schema: {
        operationId: 'createConsent',
        tags: ['banking'],
        summary: 'Say what a customer will be asked to consent to',
        description:
          'For terms other than the usual: limits, an end, a window of transactions. The customer sees them on the ' +
          'consent page and chooses the accounts.',
        body: CreateConsentBody,
        response: { 201: Consent },
      },
    } as const
    app.post('/api/consents', create, async (request, reply) => {
      const { arrivedAt, body } = request
      const id = newId(arrivedAt)
      const answer = await submit(
        request,
        createConsents,
        toNewConsent(body, id, arrivedAt),
        (row) => ({
          status: 201,
          body: toConsent(row, arrivedAt),
          location: `/api/consents/${publicId('con', row.id)}`,
        }),
        id,
      )
      reply.header('cache-control', 'no-store')
      return sendAnswer(reply, answer)
    })

    const list = {
      config: { scope: 'consents:read' },
      schema: {
        operationId: 'listConsents',
        tags: ['banking'],
        summary: 'List consents',
        description: 'An app sees those that it asked for and that its customer gave it.',
        querystring: ListConsentsQuery,
        response: { 200: ConsentList },
      },
    } as const
    app.get('/api/consents', list, async (request, reply) => {
      const { actor, arrivedAt } = request
      const page = paging.pageOf(request)
      const filters = (await isBank(actor)) ? {} : ownOf(actor)
      const rows = await listConsents(db, actor.tenantId, filters, page)
      reply.header('cache-control', 'no-store')
      return paging.answer(request, reply, page, rows, {
        key: (row) => [row.id],
        item: (row) => toConsent(row, arrivedAt),
      })
    })

    const get = {
      config: { scope: 'consents:read', errors: ['consent_not_found'] },
      schema: {
        operationId: 'getConsent',
        tags: ['banking'],
        summary: 'Read a consent',
        params: ConsentParams,
        response: { 200: Consent },
      },
    } as const
    app.get('/api/consents/:id', get, async (request, reply) => {
      const { actor, arrivedAt, params } = request
      const row = await findConsent(db, actor.tenantId, knownId(params.id))
      const asker = { actor, isBank: await isBank(actor) }
      if (row === undefined || !canSeeConsent(asker, row)) {
        throw new ApiError(refuse('consent_not_found'))
      }
      reply.header('cache-control', 'no-store')
      return toConsent(row, arrivedAt)
    })

    const withdraw = {
      config: { scope: 'consents:write', errors: ['consent_not_found'] },
      schema: {
        operationId: 'withdrawConsent',
        tags: ['banking'],
        summary: 'Withdraw a consent, with every token under it',
        description:
          'Once it has answered, no transfer under the consent is made any more; every token under it is refused ' +
          'within a second. Repeated, it changes nothing.',
        params: ConsentParams,
        response: { 204: { description: 'It stands no longer.' } },
      },
    } as const
    app.delete('/api/consents/:id', withdraw, async (request, reply) => {
      const consentId = knownId(request.params.id)
      const input = { consentId, isBank: await isBank(request.actor) }
      const answer = await submit(request, withdrawConsents, input, () => ({
        status: 204,
        body: {},
      }))
      return answer.status === 204 ? reply.code(204).send() : sendAnswer(reply, answer)
    })
  }

function ownOf({ clientId, id, user }: Actor): ConsentFilters {
  const own = { clientId: clientId ?? id }
  return user === undefined ? own : { ...own, userId: user.id, orUnanswered: true }
}
