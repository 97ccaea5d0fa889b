import { type Static, Type } from 'typebox'
import type { TxOf } from '../../platform/db/types.ts'
import { Id, closed } from '../../platform/fields.ts'
import { knownId } from '../../platform/ids.ts'
import { CurrencyCode, MAX_AMOUNT } from '../../platform/money.ts'
import { type Page, pageParameters } from '../../platform/page.ts'
import type { PaymentRow } from './payment.queries.ts'
import { paymentStatuses } from './payment.states.ts'

const AmountBound = Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_AMOUNT }))
const InstantBound = Type.Optional(Type.String({ format: 'date-time', maxLength: 35 }))

export const ListPaymentsQuery = Type.Object(
  {
    ...pageParameters,
    status: Type.Optional(
      Type.Array(Type.Union(paymentStatuses.map((status) => Type.Literal(status))), {
        maxItems: 20,
        description: 'Repeat the parameter for several.',
      }),
    ),
    payment_type: Type.Optional(Type.Union([Type.Literal('card'), Type.Literal('book')])),
    direction: Type.Optional(
      Type.Union([Type.Literal('inbound'), Type.Literal('outbound'), Type.Literal('internal')]),
    ),
    currency: Type.Optional(CurrencyCode),
    'amount[gte]': AmountBound,
    'amount[lte]': AmountBound,
    'created[gte]': InstantBound,
    'created[lt]': InstantBound,
    recipient_account_id: Type.Optional(Id('acc')),
    source_account_id: Type.Optional(Id('acc')),
    gateway_id: Type.Optional(Type.String({ maxLength: 64 })),
    external_id: Type.Optional(Type.String({ maxLength: 100 })),
  },
  closed,
)

export interface PaymentFilters {
  readonly statuses: readonly string[]
  /** Columns that must have a value. */
  readonly equal: Readonly<Partial<Record<EqualColumn, string>>>
  readonly amountFrom?: bigint
  readonly amountTo?: bigint
  readonly createdFrom?: Date
  readonly createdBefore?: Date
}

type EqualColumn =
  | 'payment_type'
  | 'direction'
  | 'currency'
  | 'recipient_account_id'
  | 'source_account_id'
  | 'gateway_id'
  | 'external_id'

export function filtersOf(query: Static<typeof ListPaymentsQuery>): PaymentFilters {
  const equal: Partial<Record<EqualColumn, string>> = {}
  for (const column of [
    'payment_type',
    'direction',
    'currency',
    'gateway_id',
    'external_id',
  ] as const) {
    const value = query[column]
    if (value !== undefined) equal[column] = value
  }
  for (const column of ['recipient_account_id', 'source_account_id'] as const) {
    const value = query[column]
    if (value !== undefined) equal[column] = knownId(value)
  }
  return {
    statuses: query.status ?? [],
    equal,
    ...(query['amount[gte]'] === undefined ? {} : { amountFrom: BigInt(query['amount[gte]']) }),
    ...(query['amount[lte]'] === undefined ? {} : { amountTo: BigInt(query['amount[lte]']) }),
    ...(query['created[gte]'] === undefined
      ? {}
      : { createdFrom: new Date(query['created[gte]']) }),
    ...(query['created[lt]'] === undefined
      ? {}
      : { createdBefore: new Date(query['created[lt]']) }),
  }
}

/**
 * One page of payments by id, which is their order of creation. Reads one row more than the page
 * shows, to know whether there is another.
 */
export async function listPayments(
  tx: TxOf<'payments'>,
  tenantId: string,
  filters: PaymentFilters,
  { limit, order, after }: Page,
): Promise<PaymentRow[]> {
  let query = tx
    .selectFrom('payments.payments')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('id', order)
    .limit(limit + 1)
  if (after?.[0] !== undefined) query = query.where('id', order === 'desc' ? '<' : '>', after[0])
  if (filters.statuses.length > 0) query = query.where('status', 'in', [...filters.statuses])
  for (const [column, value] of Object.entries(filters.equal)) {
    query = query.where(column as EqualColumn, '=', value)
  }
  if (filters.amountFrom !== undefined) query = query.where('amount', '>=', filters.amountFrom)
  if (filters.amountTo !== undefined) query = query.where('amount', '<=', filters.amountTo)
  if (filters.createdFrom !== undefined) {
    query = query.where('created_at', '>=', filters.createdFrom)
  }
  if (filters.createdBefore !== undefined) {
    query = query.where('created_at', '<', filters.createdBefore)
  }
  return (await query.execute()) as unknown as PaymentRow[]
}
