import { Type } from 'typebox'
import { Id } from '../../platform/fields.ts'

/** Shapes that accounts, transactions and holds have in common. */

export const AccountParams = Type.Object({ id: Id('acc') })
export const TransactionParams = Type.Object({ id: Id('txn') })
export const HoldParams = Type.Object({ id: Id('hld') })

export const Name = Type.String({ minLength: 1, maxLength: 200 })
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/**
 * An instant asked for or answered, to the microsecond. Years 1000 to 2999: PostgreSQL has no year 0,
 * and no book of ours is older.
 */
export const Instant = Type.String({
  format: 'date-time',
  pattern: '^[12]\\d{3}-',
  maxLength: 40,
  description: 'RFC 3339 with offset.',
})
export const Day = Type.String({
  format: 'date',
  pattern: '^[12]\\d{3}-',
  maxLength: 10,
  description: 'A day in the time zone of the books.',
})

/** An entry of the ledger may exceed what one payment may move; opening balances do. */
export const EntryAmount = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units of the currency, positive; the direction is apart.',
})

export const Direction = Type.Union([Type.Literal('debit'), Type.Literal('credit')])

/** What a correlation names is known to whoever set it: the uuid, or any public id over it. */
export const CorrelationId = Type.String({
  pattern:
    '^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[a-z]{2,8}_[0-7][0-9a-hjkmnp-tv-z]{25})$',
  maxLength: 36,
  description: 'What the transaction belongs to: a uuid, or the id of an object such as `pay_…`.',
})

/** Range of creation, as query parameters. */
export const createdRange = {
  'created[gte]': Type.Optional(Instant),
  'created[gt]': Type.Optional(Instant),
  'created[lte]': Type.Optional(Instant),
  'created[lt]': Type.Optional(Instant),
}
