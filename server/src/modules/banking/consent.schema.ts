import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Text, Version, closed } from '../../platform/fields.ts'
import { publicId } from '../../platform/ids.ts'
import { Amount, TotalAmount, toJsonAmount } from '../../platform/money.ts'
import { listOf, pageParameters } from '../../platform/page.ts'
import { type Permission, permissionNames } from './consent.permissions.ts'
import type { ConsentRow } from './consent.queries.ts'
import { consentStatuses, isoOfConsent, statusOfConsent } from './consent.states.ts'
import { DEFAULT_LIMITS, latestEnd } from './consent-terms.ts'
import type { NewConsent } from './create-consents.ts'

const Permissions = Type.Array(Type.String({ maxLength: 40, enum: [...permissionNames] }), {
  minItems: 1,
  maxItems: permissionNames.length,
  uniqueItems: true,
  description: 'Scopes that a customer can grant.',
})

const Limit = Type.Optional(
  Type.Union([Amount, Type.Null()], {
    description:
      'Minor units of each currency by itself. Default: what `limits` of an answer show.',
  }),
)
const Limits = Type.Object(
  {
    max_amount: Limit,
    per_day: Limit,
    per_month: Limit,
    count_per_day: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: 10_000 }), Type.Null()]),
    ),
  },
  { ...closed, description: 'null: unlimited. The customer sees them before consenting.' },
)

const Moment = Type.String({ format: 'date-time', maxLength: 35 })

export const CreateConsentBody = Type.Object(
  {
    permissions: Permissions,
    limits: Type.Optional(Limits),
    valid_until: Type.Optional(Moment),
    transactions_from: Type.Optional(Moment),
    transactions_to: Type.Optional(Moment),
  },
  {
    ...closed,
    examples: [
      {
        permissions: ['accounts:read', 'balance:read', 'transfer:write'],
        limits: { max_amount: 50000, per_day: 100000 },
      },
    ],
  },
)
export type CreateConsentBody = Static<typeof CreateConsentBody>
export const ConsentParams = Type.Object({ id: Id('con') }, closed)
export const ListConsentsQuery = Type.Object(pageParameters, closed)

const Payment = Type.Object(
  {
    from_account_id: Id('acc'),
    to_account_id: Id('acc'),
    amount: TotalAmount,
    currency: Text,
    reference: Nullable(Text),
  },
  { description: 'The one payment that the consent is for.' },
)

export const Consent = Type.Object(
  {
    object: Type.Literal('consent'),
    id: Id('con'),
    status: Type.String({ maxLength: 32, 'x-open-enum': consentStatuses }),
    iso_status: Type.String({ maxLength: 4 }),
    permissions: Type.Array(Text, { maxItems: 20 }),
    account_ids: Type.Array(Id('acc'), { maxItems: 1_000 }),
    limits: Type.Object({
      max_amount: Nullable(TotalAmount),
      per_day: Nullable(TotalAmount),
      per_month: Nullable(TotalAmount),
      count_per_day: Nullable(Type.Integer({ minimum: 0, maximum: 10_000 })),
    }),
    payment: Nullable(Payment),
    valid_until: Instant,
    transactions_from: Nullable(Instant),
    transactions_to: Nullable(Instant),
    client_id: Text,
    user_id: Nullable(Text),
    created_at: Instant,
    authorised_at: Nullable(Instant),
    revoked_at: Nullable(Instant),
    revoked_by: Nullable(Text),
    last_used_at: Nullable(
      Type.String({ ...Instant, description: 'When money was last moved under it.' }),
    ),
    version: Version,
  },
  { title: 'Consent' },
)
export type Consent = Static<typeof Consent>
export const ConsentList = listOf(Consent)

export function toNewConsent(body: CreateConsentBody, id: string, now: Date): NewConsent {
  const { limits = {} } = body
  const limit = (asked: number | null | undefined, otherwise: bigint | null) => {
    if (asked === undefined) return otherwise
    return asked === null ? null : BigInt(asked)
  }
  return {
    id,
    permissions: body.permissions as Permission[],
    limits: {
      maxAmount: limit(limits.max_amount, DEFAULT_LIMITS.maxAmount),
      perDay: limit(limits.per_day, DEFAULT_LIMITS.perDay),
      perMonth: limit(limits.per_month, DEFAULT_LIMITS.perMonth),
      countPerDay:
        limits.count_per_day === undefined ? DEFAULT_LIMITS.countPerDay : limits.count_per_day,
    },
    validUntil: instant(body.valid_until) ?? latestEnd(now),
    transactionsFrom: instant(body.transactions_from) ?? null,
    transactionsTo: instant(body.transactions_to) ?? null,
  }
}

function instant(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}

/** The public JSON of a consent: the only place where a row becomes one. */
export function toConsent(row: ConsentRow, now: Date): Consent {
  const status = statusOfConsent(row, now)
  const amount = (minor: bigint | null) => (minor === null ? null : toJsonAmount(minor))
  const at = (instantOrNot: Date | null) => instantOrNot?.toISOString() ?? null
  return {
    object: 'consent',
    id: publicId('con', row.id),
    status,
    iso_status: isoOfConsent[status],
    permissions: row.permissions,
    account_ids: row.account_ids.map((id) => publicId('acc', id)),
    limits: {
      max_amount: amount(row.max_amount),
      per_day: amount(row.per_day),
      per_month: amount(row.per_month),
      count_per_day: row.count_per_day,
    },
    payment: row.payment && {
      from_account_id: publicId('acc', row.payment.from_account_id),
      to_account_id: publicId('acc', row.payment.to_account_id),
      amount: toJsonAmount(BigInt(row.payment.amount)),
      currency: row.payment.currency,
      reference: row.payment.reference,
    },
    valid_until: row.valid_until.toISOString(),
    transactions_from: at(row.transactions_from),
    transactions_to: at(row.transactions_to),
    client_id: row.client_id,
    user_id: row.user_id,
    created_at: row.created_at.toISOString(),
    authorised_at: at(row.authorised_at),
    revoked_at: at(row.revoked_at),
    revoked_by: row.revoked_by,
    last_used_at: at(row.last_used_at),
    version: row.version,
  }
}
