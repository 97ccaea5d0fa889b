import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError } from '../../platform/errors.ts'
import { childrenOf } from '../../platform/fields.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { longPoll } from '../../platform/http/long-poll.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { createRefunds } from './create-refunds.ts'
import { refundErrors, refuse } from './payment.errors.ts'
import { findPayment } from './payment.queries.ts'
import type { PaymentDeps } from './payment.routes.ts'
import { PaymentParams } from './payment.schema.ts'
import { CreateRefundBody, Refund, RefundParams, toRefund } from './refund.schema.ts'
import { findRefund, listRefundsOf } from './refund.queries.ts'

export const refundRoutes =
  ({ submit, db, waiters }: PaymentDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: { scope: 'refunds:write', idempotency: 'required', errors: refundErrors },
      schema: {
        operationId: 'createRefund',
        tags: ['payments'],
        summary: 'Refund a payment, whole or in part',
        description:
          'Without `amount`: all that can still be refunded. A payment takes many refunds.',
        params: PaymentParams,
        body: CreateRefundBody,
        response: { 201: Refund },
      },
    } as const
    app.post('/payments/:id/refunds', create, async (request, reply) => {
      const { amount, reason, description, external_id, metadata } = request.body ?? {}
      const input = {
        refundId: newId(request.arrivedAt),
        paymentId: knownId(request.params.id),
        amount: amount === undefined ? undefined : BigInt(amount),
        reason: reason ?? 'requested_by_customer',
        description: description ?? null,
        externalId: external_id ?? null,
        metadata: metadata ?? {},
      } as const
      const answer = await submit(
        request,
        createRefunds,
        input,
        (row) => ({
          status: 201,
          body: toRefund(row),
          location: `/refunds/${publicId('ref', row.id)}`,
        }),
        input.refundId,
      )
      return sendAnswer(reply, answer)
    })

    const list = {
      config: { scope: 'payments:read', errors: ['payment_not_found'] },
      schema: {
        operationId: 'listPaymentRefunds',
        tags: ['payments'],
        summary: 'The refunds of a payment, oldest first',
        params: PaymentParams,
        response: { 200: childrenOf(Refund) },
      },
    } as const
    app.get('/payments/:id/refunds', list, async (request) => {
      const { tenantId } = request.actor
      const id = knownId(request.params.id)
      const payment = await findPayment(db, tenantId, id)
      if (payment === undefined) throw new ApiError(refuse('payment_not_found'))
      const rows = await listRefundsOf(db, tenantId, id)
      return { object: 'list' as const, data: rows.map(toRefund) }
    })

    const get = {
      config: { scope: 'payments:read', errors: ['refund_not_found'] },
      schema: {
        operationId: 'getRefund',
        tags: ['payments'],
        summary: 'Read a refund',
        description: '`Prefer: wait=N` answers when it changes, or once it is final.',
        params: RefundParams,
        response: { 200: Refund },
      },
    } as const
    app.get('/refunds/:id', get, async (request, reply) => {
      const id = knownId(request.params.id)
      const read = async () => {
        const row = await findRefund(db, request.actor.tenantId, id)
        if (row === undefined) throw new ApiError(refuse('refund_not_found'))
        return row
      }
      const row = await longPoll(waiters, request, reply, {
        first: await read(),
        read,
        id: (refund) => refund.id,
        version: (refund) => refund.version,
        isDone: ({ status }) => status !== 'pending' && status !== 'processing',
      })
      return sendVersioned(request, reply, row.version, () => toRefund(row))
    })
  }
