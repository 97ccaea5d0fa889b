import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { ApiError, valueOf } from '../../platform/errors.ts'
import type { Db } from '../../platform/db/types.ts'
import { childrenOf } from '../../platform/fields.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { longPoll } from '../../platform/http/long-poll.ts'
import { preferencesOf } from '../../platform/http/prefer.ts'
import { type Submit, sendAnswer } from '../../platform/http/submit.ts'
import type { Waiters } from '../../platform/http/waiters.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { type Paging, listOf } from '../../platform/page.ts'
import { listAttemptsOf } from './attempt.queries.ts'
import { cancelPayments } from './cancel-payments.ts'
import { listCapturesOf } from './capture.queries.ts'
import { capturePayments } from './capture-payments.ts'
import { createPayments } from './create-payments.ts'
import { ListPaymentsQuery, filtersOf, listPayments } from './list-payments.ts'
import { type Route, toNewPayment } from './payment-request.ts'
import { cancelErrors, captureErrors, creationErrors, refuse } from './payment.errors.ts'
import { type PaymentRow, findPayment } from './payment.queries.ts'
import { Attempt, toAttempt } from './attempt.schema.ts'
import { Capture, CaptureBody, toCapture } from './capture.schema.ts'
import {
  CancelBody,
  CreatePaymentBody,
  Payment,
  PaymentParams,
  toPayment,
} from './payment.schema.ts'
import { refreshPayments } from './refresh-payments.ts'
import { statusGroupOf, statusOf } from './payment.states.ts'

export interface PaymentDeps {
  readonly submit: Submit
  /** Reads outside any transaction. */
  readonly db: Db
  readonly waiters: Waiters
  readonly paging: Paging
  readonly route: Route
}

export const paymentRoutes =
  ({ submit, db, waiters, paging, route }: PaymentDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: { scope: 'payments:write', idempotency: 'required', errors: creationErrors },
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
      const made = knownId((JSON.parse(answer.body) as Payment).id)
      const row = await polled(request, reply, made)
      return sendAnswer(reply, { ...answer, body: JSON.stringify(toPayment(row)) })
    })

    const get = {
      config: { scope: 'payments:read', errors: ['payment_not_found'] },
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
      const row = await polled(request, reply, knownId(request.params.id))
      return sendVersioned(request, reply, row.version, () => toPayment(row))
    })

    const list = {
      config: { scope: 'payments:read' },
      schema: {
        operationId: 'listPayments',
        tags: ['payments'],
        summary: 'List payments, newest first',
        querystring: ListPaymentsQuery,
        response: { 200: listOf(Payment) },
      },
    } as const
    app.get('/payments', list, async (request, reply) => {
      const page = paging.pageOf(request)
      const rows = await listPayments(db, request.actor.tenantId, filtersOf(request.query), page)
      return paging.answer(request, reply, page, rows, { key: (row) => [row.id], item: toPayment })
    })

    const capture = {
      config: { scope: 'payments:write', idempotency: 'required', errors: captureErrors },
      schema: {
        operationId: 'capturePayment',
        tags: ['payments'],
        summary: 'Capture an authorized payment, whole or in part',
        description:
          'Answers once the order is stored; the payment tells what the gateway made of it.',
        params: PaymentParams,
        body: CaptureBody,
        response: { 202: Payment },
      },
    } as const
    app.post('/payments/:id/capture', capture, async (request, reply) => {
      const { amount, final = true } = request.body ?? {}
      const input = {
        captureId: newId(request.arrivedAt),
        paymentId: knownId(request.params.id),
        amount: amount === undefined ? undefined : BigInt(amount),
        final,
      }
      const answer = await submit(
        request,
        capturePayments,
        input,
        (row) => ({ status: 202, body: toPayment(row) }),
        input.paymentId,
      )
      return sendAnswer(reply, answer)
    })

    const cancel = {
      config: { scope: 'payments:write', idempotency: 'optional', errors: cancelErrors },
      schema: {
        operationId: 'cancelPayment',
        tags: ['payments'],
        summary: 'Cancel a payment before money moves, or void its authorization',
        params: PaymentParams,
        body: CancelBody,
        response: { 200: Payment },
      },
    } as const
    app.post('/payments/:id/cancel', cancel, async (request, reply) => {
      const input = {
        paymentId: knownId(request.params.id),
        reason: request.body?.reason ?? null,
      }
      const answer = await submit(
        request,
        cancelPayments,
        input,
        (row) => ({ status: 200, body: toPayment(row) }),
        input.paymentId,
      )
      return sendAnswer(reply, answer)
    })

    const refresh = {
      config: { scope: 'payments:write', idempotency: 'none', errors: ['payment_not_found'] },
      schema: {
        operationId: 'refreshPayment',
        tags: ['payments'],
        summary: 'Ask the gateway now about what it has not answered',
        params: PaymentParams,
        response: { 202: Payment },
      },
    } as const
    app.post('/payments/:id/refresh', refresh, async (request, reply) => {
      const input = { paymentId: knownId(request.params.id) }
      const answer = await submit(request, refreshPayments, input, (row) => ({
        status: 202,
        body: toPayment(row),
      }))
      return sendAnswer(reply, answer)
    })

    const attempts = {
      config: { scope: 'payments:read', errors: ['payment_not_found'] },
      schema: {
        operationId: 'listPaymentAttempts',
        tags: ['payments'],
        summary: 'What was sent to gateways for a payment',
        params: PaymentParams,
        response: { 200: childrenOf(Attempt) },
      },
    } as const
    app.get('/payments/:id/attempts', attempts, async (request) => {
      const { id } = await read(request, knownId(request.params.id))
      const rows = await listAttemptsOf(db, request.actor.tenantId, id)
      return { object: 'list' as const, data: rows.map(toAttempt) }
    })

    const captures = {
      config: { scope: 'payments:read', errors: ['payment_not_found'] },
      schema: {
        operationId: 'listPaymentCaptures',
        tags: ['payments'],
        summary: 'The captures of a payment',
        params: PaymentParams,
        response: { 200: childrenOf(Capture) },
      },
    } as const
    app.get('/payments/:id/captures', captures, async (request) => {
      const { id } = await read(request, knownId(request.params.id))
      const rows = await listCapturesOf(db, request.actor.tenantId, id)
      return { object: 'list' as const, data: rows.map(toCapture) }
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
