import { type Static, Type } from 'typebox'
import { type FieldError } from '../../platform/errors.ts'
import { invalidRequest } from '../../platform/http/validation.ts'
import { firstIdAt, internalId } from '../../platform/ids.ts'
import { CurrencyCode } from '../../platform/money.ts'
import { Id, transactionStatuses } from './history.schema.ts'

// Years 1000 to 2999: PostgreSQL has no year 0, and no book is older.
const Instant = Type.String({
  format: 'date-time',
  pattern: '^[12]\\d{3}-',
  maxLength: 40,
  description: 'RFC 3339 with offset; microseconds count.',
})
const Day = Type.String({ format: 'date', pattern: '^[12]\\d{3}-', maxLength: 10 })
const AmountBound = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const filterParameters = {
  'booked[gte]': Type.Optional(Instant),
  'booked[lt]': Type.Optional(Instant),
  'effective_on[gte]': Type.Optional(Day),
  'effective_on[lte]': Type.Optional(Day),
  type: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
      maxItems: 20,
      description: 'Repeat the parameter for several.',
    }),
  ),
  status: Type.Optional(Type.Union(transactionStatuses.map((status) => Type.Literal(status)))),
  account_id: Type.Optional(
    Type.String({
      ...Id('acc'),
      description: 'Those with an entry on this account, in the order it was booked upon.',
    }),
  ),
  payment_id: Type.Optional(Id('pay')),
  reference: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: '`external_id` of the transaction or of its payment.',
    }),
  ),
  currency: Type.Optional(CurrencyCode),
  'amount[gte]': Type.Optional(AmountBound),
  'amount[lte]': Type.Optional(AmountBound),
}

const Filters = Type.Object(filterParameters)

/** What a history is asked for. Ids are uuids. */
export interface HistoryFilters {
  /** Instants as they were written: a `Date` would cut them to milliseconds. */
  readonly bookedFrom?: string
  readonly bookedBefore?: string
  /** Bounds of the transactions' ids that follow from the instants: `idFrom <= id < idBefore`. */
  readonly idFrom?: string
  readonly idBefore?: string
  readonly effectiveFrom?: string
  readonly effectiveTo?: string
  readonly types: readonly string[]
  readonly status?: (typeof transactionStatuses)[number]
  readonly accountId?: string
  readonly paymentId?: string
  readonly reference?: string
  readonly currency?: string
  readonly amountFrom?: bigint
  readonly amountTo?: bigint
}

// An id begins with the time of its request, and booking follows within seconds. Narrower: two
// machines whose clocks differ lose rows. Wider: more rows are read in vain at the edges of a range.
const ID_SLACK_MS = 3_600_000

/** Throws `invalid_request` for an instant that exists in no calendar. */
export function filtersOf(query: Static<typeof Filters>): HistoryFilters {
  const from = instantOf(query, 'booked[gte]')
  const before = instantOf(query, 'booked[lt]')
  return {
    types: query.type ?? [],
    ...(from !== undefined && {
      bookedFrom: from.text,
      idFrom: firstIdAt(new Date(from.millis - ID_SLACK_MS)),
    }),
    ...(before !== undefined && {
      bookedBefore: before.text,
      idBefore: firstIdAt(new Date(before.millis + ID_SLACK_MS)),
    }),
    ...given('effectiveFrom', query['effective_on[gte]']),
    ...given('effectiveTo', query['effective_on[lte]']),
    ...given('status', query.status),
    ...given('accountId', uuidOf('acc', query.account_id)),
    ...given('paymentId', uuidOf('pay', query.payment_id)),
    ...given('reference', query.reference),
    ...given('currency', query.currency),
    ...given('amountFrom', bigintOf(query['amount[gte]'])),
    ...given('amountTo', bigintOf(query['amount[lte]'])),
  }
}

function instantOf(query: Static<typeof Filters>, parameter: 'booked[gte]' | 'booked[lt]') {
  const text = query[parameter]
  if (text === undefined) return undefined
  const millis = Date.parse(text)
  // A leap second has the form of an instant, and no place in either machine's count.
  if (Number.isNaN(millis)) throw invalidRequest([{ ...NO_INSTANT, parameter }])
  return { text, millis }
}

const NO_INSTANT: FieldError = { code: 'bad_format', detail: 'must be an instant that exists' }

function given<Name extends string, Value>(name: Name, value: Value | undefined) {
  return (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, Value>>
}

function uuidOf(prefix: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : internalId(prefix, text)
}

function bigintOf(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value)
}
