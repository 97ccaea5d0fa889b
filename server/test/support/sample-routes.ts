import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { refuse as refuseBatch } from '../../src/platform/batch/batch.errors.ts'
import type { Command } from '../../src/platform/command.ts'
import { DatabaseUnavailable } from '../../src/platform/db/transaction.ts'
import { ApiError, defineErrors } from '../../src/platform/errors.ts'
import { Amount, PayableCurrency } from '../../src/platform/money.ts'
import { createPaging, listOf, pageParameters } from '../../src/platform/page.ts'
import { closed } from '../../src/platform/fields.ts'
import { allowedVersions, sendVersioned } from '../../src/platform/http/conditional.ts'
import { longPoll } from '../../src/platform/http/long-poll.ts'
import { type Submit, sendAnswer } from '../../src/platform/http/submit.ts'
import type { Waiters } from '../../src/platform/http/waiters.ts'

/** Routes of every kind, for the tests of the door. */

export const refuseSample = defineErrors({
  order_not_found: { status: 404, retryable: false, title: 'No such order.' },
  order_exceeds_limit: { status: 422, retryable: false, title: 'The order is above the limit.' },
  caller_unknown: { status: 401, retryable: false, title: 'Nobody is known by this token.' },
})

export const OrderBody = Type.Object(
  {
    amount: Amount,
    currency: PayableCurrency,
    note: Type.Optional(Type.String({ maxLength: 10 })),
    due: Type.Optional(Type.String({ format: 'date' })),
    method: Type.Optional(
      Type.Union([
        Type.Object({ type: Type.Literal('card'), token: Type.String({ maxLength: 40 }) }, closed),
        Type.Object(
          { type: Type.Literal('book'), account: Type.String({ maxLength: 40 }) },
          closed,
        ),
      ]),
    ),
    capture: Type.Optional(
      Type.Union([Type.Literal('automatic'), Type.Literal('manual')], { default: 'automatic' }),
    ),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 5 }), { maxItems: 2 })),
    metadata: Type.Optional(
      Type.Record(Type.String({ pattern: '^.{1,40}$' }), Type.String({ maxLength: 500 }), {
        maxProperties: 3,
      }),
    ),
  },
  closed,
)

const OrderParams = Type.Object({ id: Type.String({ maxLength: 20 }) }, closed)
const ListQuery = Type.Object(
  {
    ...pageParameters,
    status: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { maxItems: 5 })),
    'created[gte]': Type.Optional(Type.String({ format: 'date-time' })),
  },
  closed,
)
const Order = Type.Object({ id: Type.String({ maxLength: 20 }) }, { $id: 'Order' })

export const orderRoutes =
  (submit: Submit): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command: Command<object, object> = { name: 'orders.create', run: async () => [] }
    const paging = createPaging(Buffer.alloc(32, 9))
    app.addSchema(Order)
    const create = {
      config: { scope: 'orders:write', idempotency: 'required', errors: ['order_exceeds_limit'] },
      schema: {
        operationId: 'createOrder',
        tags: ['orders'],
        body: OrderBody,
        response: { 201: Order },
      },
    } as const
    app.post('/orders', create, async (request, reply) => {
      const made = (body: object) => ({
        status: 201,
        body: { id: 'ord_1', ...body },
        location: '/orders/ord_1',
      })
      return sendAnswer(reply, await submit(request, command, request.body, made))
    })

    const bulk = {
      bodyLimit: 1024 * 1024,
      config: { scope: 'orders:write', idempotency: 'required', maxMembers: 100_000 },
      schema: {
        operationId: 'createOrders',
        body: Type.Object(
          { data: Type.Array(Type.Integer({ minimum: 0, maximum: 9 }), { maxItems: 50_000 }) },
          closed,
        ),
      },
    } as const
    app.post('/order_batches', bulk, async (request) => ({ count: request.body.data.length }))

    const list = {
      config: { scope: 'orders:read' },
      schema: {
        operationId: 'listOrders',
        querystring: ListQuery,
        response: { 200: listOf(Order) },
      },
    } as const
    app.get('/orders', list, async (request, reply) => {
      const page = paging.pageOf(request)
      const from = page.after === undefined ? 0 : Number(page.after[0])
      const rows = Array.from({ length: 5 }, (_, index) => index + 1).slice(
        from,
        from + page.limit + 1,
      )
      const shape = {
        key: (row: number) => [String(row)],
        item: (row: number) => ({ id: `ord_${row}` }),
      }
      return paging.answer(request, reply, page, rows, shape)
    })
  }

export const singleOrderRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const get = {
    config: { scope: 'orders:read' },
    schema: { operationId: 'getOrder', params: OrderParams, response: { 200: Order } },
  } as const
  app.get('/orders/:id', get, async (request, reply) =>
    sendVersioned(request, reply, 7, () => ({ id: request.params.id })),
  )

  const cancel = {
    config: { scope: 'orders:write', idempotency: 'optional' },
    schema: { operationId: 'cancelOrder', params: OrderParams },
  } as const
  app.post('/orders/:id/cancel', cancel, async (request) => ({
    key: request.idempotency?.key ?? null,
  }))

  const hold = {
    config: { scope: 'orders:write', idempotency: 'optional' },
    schema: {
      operationId: 'holdOrder',
      params: OrderParams,
      body: Type.Object(
        { days: Type.Optional(Type.Integer({ minimum: 1, maximum: 30, default: 7 })) },
        closed,
      ),
    },
  } as const
  app.post('/orders/:id/hold', hold, async (request) => request.body)

  const change = {
    config: { scope: 'orders:write' },
    schema: {
      operationId: 'changeOrder',
      params: OrderParams,
      body: Type.Object({ note: Type.String({ maxLength: 10 }) }, closed),
    },
  } as const
  app.patch('/orders/:id', change, async (request) => ({
    allowed: allowedVersions(request, 'required'),
  }))
}

export const failingRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const admin = { config: { scope: 'orders:admin' }, schema: { operationId: 'getAdmin' } }
  app.get('/admin', admin, async () => ({}))

  const fail = (what: string, error: () => unknown) =>
    app.get(
      `/fail/${what}`,
      { config: { scope: 'orders:read' }, schema: { operationId: `fail_${what}` } },
      async () => {
        throw error()
      },
    )
  fail('unknown', () => new Error('relation "payments.payments" does not exist'))
  fail('database', () => new DatabaseUnavailable(new Error('connect ECONNREFUSED')))
  fail('refusal', () => new ApiError(refuseSample('order_not_found', { order_id: 'ord_1' })))
  fail('overloaded', () => new ApiError(refuseBatch('overloaded')))
  fail('status', () => Object.assign(new Error('a plug-in says'), { statusCode: 408 }))
  fail('text', () => 'not an error')
}

export const waitingRoutes =
  (sample: {
    readonly slow: (() => void)[]
    readonly waiters: Waiters
  }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/slow',
      { config: { scope: 'orders:read' }, schema: { operationId: 'slow' } },
      () => new Promise((resolve) => sample.slow.push(() => resolve({ slow: true }))),
    )

    const hurry = {
      config: { scope: 'orders:write', idempotency: 'none' },
      schema: { operationId: 'waitForOrder', params: OrderParams },
    } as const
    app.post('/orders/:id/wait', hurry, async (request, reply) => {
      let version = 1
      const row = await longPoll(sample.waiters, request, reply, {
        first: { version },
        read: async () => ({ version: (version += 1) }),
        id: () => request.params.id,
        version: (one) => one.version,
        isDone: (one) => one.version > 1,
      })
      return row
    })

    app.post('/open', { config: { public: true } }, async (request) => ({ body: request.body }))
  }
