import { type Static, Type } from 'typebox'
import { Id, Nullable, Text, closed } from '../../platform/fields.ts'
import { Amount, CurrencyCode, SignedAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'

const Moment = Type.Optional(Type.String({ format: 'date-time', maxLength: 35 }))
const Direction = Type.Union([Type.Literal('debit'), Type.Literal('credit')], {
  description: 'debit: out of the account. credit: into it.',
})
const Status = Type.Union([Type.Literal('booked'), Type.Literal('pending')])

export const StatementQuery = Type.Object(
  {
    ...pageParameters,
    from: Moment,
    to: Moment,
    direction: Type.Optional(Direction),
    min_amount: Type.Optional(Amount),
    max_amount: Type.Optional(Amount),
    status: Type.Optional({
      ...Status,
      default: 'booked',
      description: 'booked (default), or pending: what is on its way and takes from `available`.',
    }),
  },
  closed,
)
export type StatementQuery = Static<typeof StatementQuery>

const StatementLine = Type.Object(
  {
    object: Type.Literal('account_transaction'),
    id: Type.String({ maxLength: 30, description: '`txn_…`, or `hld_…` of what is pending.' }),
    transfer_id: Nullable(Id('trf')),
    booked_at: Nullable(Type.String({ format: 'date-time', maxLength: 30 })),
    value_date: Nullable(Type.String({ format: 'date', maxLength: 10 })),
    amount: Type.Integer({ ...Amount, maximum: Number.MAX_SAFE_INTEGER }),
    currency: CurrencyCode,
    direction: Direction,
    status: Status,
    balance_after: Nullable({
      ...SignedAmount,
      description: 'Only for who may read the balance.',
    }),
    counterparty: Nullable(Type.Object({ name: Text, account_masked: Text })),
    reference: Nullable(Text),
    end_to_end_id: Nullable(Text),
    type: Type.String({ maxLength: 100, description: 'What it was: `transfer`, `card_payment` …' }),
  },
  { title: 'AccountTransaction' },
)
export type StatementLine = Static<typeof StatementLine>
export const Statement = listOf(StatementLine)
