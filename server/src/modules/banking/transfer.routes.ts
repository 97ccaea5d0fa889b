import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiError } from '../../platform/errors.ts'
import { sendVersioned } from '../../platform/http/conditional.ts'
import { sendAnswer } from '../../platform/http/submit.ts'
import { knownId, newId, publicId } from '../../platform/ids.ts'
import { refuse, transferErrors } from './banking.errors.ts'
import type { BankingDeps } from './banking-deps.ts'
import { cancelTransfers } from './cancel-transfers.ts'
import { createTransfers } from './create-transfers.ts'
import { findTransfers } from './transfer.queries.ts'
import {
  CreateTransferBody,
  Transfer,
  TransferParams,
  toNewTransfer,
  toTransfer,
} from './transfer.schema.ts'
import { canSeeTransfer, viewOf } from './view.ts'

/** Moving money, for the bank and for apps that a customer let do it. */
export const transferRoutes =
  ({ submit, db, isBank }: BankingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const create = {
      config: { scope: 'transfer:write', idempotency: 'required', errors: transferErrors },
      schema: {
        operationId: 'createTransfer',
        tags: ['banking'],
        summary: 'Transfer money',
        description:
          'To an account of this bank: `booked`, 201. To a beneficiary at another bank: `pending`, 202; the amount is ' +
          'held, and the transfer can be cancelled until it is sent. No connection to other banks is built in yet, ' +
          'so it stays pending. A refusal creates nothing.',
        body: CreateTransferBody,
        response: { 201: Transfer, 202: Transfer },
      },
    } as const
    app.post('/api/transfer', create, async (request, reply) => {
      const id = newId(request.arrivedAt)
      const input = toNewTransfer(request.body, { id, isBank: await isBank(request.actor) })
      const answer = await submit(
        request,
        createTransfers,
        input,
        (row) => ({
          status: row.state === 'booked' ? 201 : 202,
          body: toTransfer(row),
          location: `/api/transfer/${publicId('trf', row.id)}`,
        }),
        id,
      )
      reply.header('cache-control', 'no-store')
      return sendAnswer(reply, answer)
    })

    const get = {
      config: { scope: 'transfer:write', errors: ['transfer_not_found'] },
      schema: {
        operationId: 'getTransfer',
        tags: ['banking'],
        summary: 'Read a transfer',
        description: 'An app sees those that it made itself for this customer.',
        params: TransferParams,
        response: { 200: Transfer },
      },
    } as const
    app.get('/api/transfer/:id', get, async (request, reply) => {
      const { actor, params } = request
      const view = await viewOf(db, actor, isBank)
      const [row] = await findTransfers(db, actor.tenantId, [knownId(params.id)])
      if (row === undefined || !canSeeTransfer(view, row)) {
        throw new ApiError(refuse('transfer_not_found'))
      }
      return sendVersioned(request, reply, row.version, () => toTransfer(row), 'no-store')
    })

    const cancel = {
      config: {
        scope: 'transfer:write',
        idempotency: 'optional',
        errors: ['transfer_not_found', 'transfer_not_cancellable', 'consent_required'],
      },
      schema: {
        operationId: 'cancelTransfer',
        tags: ['banking'],
        summary: 'Cancel a transfer that has not left the bank',
        description: 'The amount is released and given back to the limits of the consent.',
        params: TransferParams,
        response: { 200: Transfer },
      },
    } as const
    app.post('/api/transfer/:id/cancel', cancel, async (request, reply) => {
      const transferId = knownId(request.params.id)
      const input = { transferId, isBank: await isBank(request.actor) }
      const answer = await submit(
        request,
        cancelTransfers,
        input,
        (row) => ({ status: 200, body: toTransfer(row) }),
        transferId,
      )
      reply.header('cache-control', 'no-store')
      return sendAnswer(reply, answer)
    })
  }
