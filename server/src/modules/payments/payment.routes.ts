import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { ApiError, valueOf } from '../../platform/errors.ts'
import type { Db } from '../../platform/db/types.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { longPoll } from '../../platform/http/long-poll.ts'
import { preferencesOf } from '../../platform/http/prefer.ts'
import { type Submit, sendAnswer } from '../../platform/http/submit.ts'
import type { Waiters } from '../../platform/http/waiters.ts'
import { internalId, newId, publicId } from '../../platform/ids.ts'
import { createPayments } from './create-payments.ts'
import { type Route, toNewPayment } from './payment-request.ts'
import { refuse } from './payment.errors.ts'
import { type PaymentRow, findPayment } from './payment.queries.ts'
import { CreatePaymentBody, Payment, PaymentParams, toPayment } from './payment.schema.ts'
import { statusGroupOf, statusOf } from './payment.states.ts'

export interface PaymentDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
  readonly waiters: Waiters
  readonly route: Route
}

export const paymentRoutes =
  ({ submit, db, waiters, route }: PaymentDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: { scope: 'payments:write', idempotency: 'required' },
      schema: {
        operationId: 'createPayment',
        tags: ['payments'],
        summary: 'Take a payment on',
        description:
          'Answers once it is stored: a card payment is `pending`, a book payment `completed`. ' +
          '`Prefer: wait=N` holds the answer until the payment is final, `Prefer: respond-async` makes it a 202.',
        body: CreatePaymentBody,
        response: { 201: Payment, 202: Payment },
      },
    } as const
    app.post('/payments', create, async (request, reply) => {
      const { respondAsync, wait } = preferencesOf(request)
      const id = newId(request.arrivedAt)
      const input = valueOf(toNewPayment(request.body, { id, actor: request.actor, route }))
      const answer = await submit(
        request,
        createPayments,
        input,
        (row) => ({
          status: respondAsync ? 202 : 201,
          body: toPayment(row),
          location: `/payments/${publicId('pay', row.id)}`,
        }),
        id,
      )
      if (wait === undefined || answer.status >= 300) return sendAnswer(reply, answer)
      const made = internalId('pay', (JSON.parse(answer.body) as Payment).id) as string
      const row = await polled(request, reply, made)
      return sendAnswer(reply, { ...answer, body: JSON.stringify(toPayment(row)) })
    })

    const get = {
      config: { scope: 'payments:read' },
      schema: {
        operationId: 'getPayment',
        tags: ['payments'],
        summary: 'Read a payment',
        description:
          '`Prefer: wait=N` with `If-None-Match` answers when it changes; without, once it is final.',
        params: PaymentParams,
        response: { 200: Payment },
      },
    } as const
    app.get('/payments/:id', get, async (request, reply) => {
      const row = await polled(request, reply, internalId('pay', request.params.id) as string)
      return sendVersioned(request, reply, row.version, () => toPayment(row))
    })

    async function read({ actor }: FastifyRequest, id: string): Promise<PaymentRow> {
      const row = await findPayment(db, actor.tenantId, id)
      if (row === undefined) throw new ApiError(refuse('payment_not_found'))
      return row
    }

    async function polled(
      request: FastifyRequest,
      reply: Parameters<typeof longPoll>[2],
      id: string,
    ): Promise<PaymentRow> {
      return longPoll(waiters, request, reply, {
        first: await read(request, id),
        read: () => read(request, id),
        id: (row) => row.id,
        version: (row) => row.version,
        isDone: (row) => statusGroupOf(statusOf(row)) !== 'pending',
      })
    }
  }
