import { type Static, Type } from 'typebox'
import {
  ExternalId,
  Id,
  Metadata,
  MetadataPatch,
  Nullable,
  Text,
  Version,
  closed,
} from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { CurrencyCode, PayableCurrency, SignedAmount, toJsonAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import { type AccountRow, totalsOf } from './account-row.ts'
import { available, pending, posted } from './balance.ts'
import { Count, Instant, Name } from './ledger.schema.ts'

const Role = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,39}$',
  maxLength: 40,
  description: 'Role of the chart line that the account belongs to.',
  examples: ['customer_funds'],
})
const ChartCode = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,20}$',
  maxLength: 20,
  description: 'Code of the chart line, instead of its role.',
})
const MinAvailable = Type.Union([SignedAmount, Type.Null()], {
  description: 'Least `available`: 0 no overdraft, -50000 an overdraft of 500.00, null unbounded.',
})
const MaxBalance = Type.Union([SignedAmount, Type.Null()], {
  description: 'Greatest `posted`; null unbounded.',
})
const Blocked = Type.Union([
  Type.Literal('none'),
  Type.Literal('outgoing'),
  Type.Literal('incoming'),
  Type.Literal('both'),
])
const Status = Type.Union([Type.Literal('open'), Type.Literal('closed')])

export const CreateAccountBody = Type.Object(
  {
    name: Name,
    role: Type.Optional(Role),
    chart_code: Type.Optional(ChartCode),
    currency: PayableCurrency,
    min_available: Type.Optional(MinAvailable),
    max_balance: Type.Optional(MaxBalance),
    external_id: Type.Optional(ExternalId),
    metadata: Type.Optional(Metadata),
  },
  {
    ...closed,
    oneOf: [{ required: ['role'] }, { required: ['chart_code'] }],
    examples: [{ name: 'Customer A', role: 'customer_funds', currency: 'EUR', min_available: 0 }],
  },
)
export type CreateAccountBody = Static<typeof CreateAccountBody>

export const UpdateAccountBody = Type.Object(
  {
    name: Type.Optional(Name),
    min_available: Type.Optional(MinAvailable),
    max_balance: Type.Optional(MaxBalance),
    blocked: Type.Optional(Blocked),
    metadata: Type.Optional(MetadataPatch),
  },
  { ...closed, minProperties: 1 },
)
export type UpdateAccountBody = Static<typeof UpdateAccountBody>

export const Account = Type.Object(
  {
    id: Id('acc'),
    object: Type.Literal('ledger_account'),
    name: Text,
    chart_code: Text,
    role: Text,
    type: Type.Union([
      Type.Literal('asset'),
      Type.Literal('liability'),
      Type.Literal('equity'),
      Type.Literal('income'),
      Type.Literal('expense'),
    ]),
    normal_side: Type.Union([Type.Literal('debit'), Type.Literal('credit')]),
    clearing: Type.Boolean({ description: 'Must return to zero when the stories on it end.' }),
    currency: CurrencyCode,
    status: Status,
    blocked: Blocked,
    balances: Type.Object(
      { posted: SignedAmount, pending: SignedAmount, available: SignedAmount },
      {
        description:
          'posted: all that is booked. pending: as if every hold settled. available: what can be taken now.',
      },
    ),
    min_available: Nullable(SignedAmount),
    max_balance: Nullable(SignedAmount),
    last_seq: Type.Integer({
      ...Count,
      description:
        'Number of the last entry; pass it as `expected_version` to post on what you saw.',
    }),
    key: Nullable(Text),
    external_id: Nullable(Text),
    metadata: Metadata,
    created_at: Instant,
    version: Version,
  },
  { title: 'LedgerAccount' },
)
export type Account = Static<typeof Account>

export const ListAccountsQuery = Type.Object(
  {
    ...pageParameters,
    currency: Type.Optional(CurrencyCode),
    role: Type.Optional(Role),
    external_id: Type.Optional(ExternalId),
    status: Type.Optional(Status),
  },
  closed,
)
export type ListAccountsQuery = Static<typeof ListAccountsQuery>
export const AccountList = listOf(Account)

/** The public JSON of an account: the only place where a row becomes one. */
export function toAccount(row: AccountRow): Account {
  return {
    id: publicId('acc', row.account_id),
    object: 'ledger_account',
    name: row.name,
    chart_code: row.chart_code,
    role: row.role,
    type: row.type,
    normal_side: row.normal_side,
    clearing: row.clearing,
    currency: row.currency,
    status: row.status,
    blocked: row.blocked,
    balances: balancesOf(row),
    min_available: row.min_available === null ? null : toJsonAmount(row.min_available),
    max_balance: row.max_balance === null ? null : toJsonAmount(row.max_balance),
    last_seq: Number(row.last_seq),
    key: row.key,
    external_id: row.external_id,
    metadata: row.metadata,
    created_at: row.created_at.toISOString(),
    version: row.version,
  }
}

function balancesOf(row: AccountRow): Account['balances'] {
  const totals = totalsOf(row)
  return {
    posted: toJsonAmount(posted(totals)),
    pending: toJsonAmount(pending(totals)),
    available: toJsonAmount(available(totals)),
  }
}
