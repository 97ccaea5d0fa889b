import type { ConsentAsk } from '../identity/index.ts'
import { internalId } from '../../platform/ids.ts'
import type { ConsentRow } from './consent.queries.ts'
import { type Permission, isPermission } from './consent.permissions.ts'

/** What a consent would allow, before the customer has chosen accounts. */
export interface Terms {
  readonly permissions: readonly Permission[]
  readonly limits: Limits
  readonly validUntil: Date
  readonly transactionsFrom: Date | null
  readonly transactionsTo: Date | null
  /** Uuids of accounts that the app named. */
  readonly suggested: ReadonlySet<string>
  /** The one payment that it is for; null: what the limits allow. */
  readonly payment: AskedPayment | null
}

/** In minor units of each currency. Null: unlimited. */
export interface Limits {
  readonly maxAmount: bigint | null
  readonly perDay: bigint | null
  readonly perMonth: bigint | null
  readonly countPerDay: number | null
}

export interface AskedPayment {
  /** Uuids. Null: the customer chooses. */
  readonly fromAccountId: string | null
  readonly toAccountId: string
  readonly amount: bigint
  readonly currency: string
  readonly reference: string | null
}

const DAY_MS = 24 * 3_600_000
const MAX_DAYS = 180
const DEFAULT_DAYS = 90
const PAYMENT_DAYS = 1 // it is made at once or asked for anew

/** Where an app names no limits. A lost token then costs at most what a day may cost. */
export const DEFAULT_LIMITS: Limits = {
  maxAmount: 100_000n,
  perDay: 200_000n,
  perMonth: 1_000_000n,
  countPerDay: 20,
}

export const NO_LIMITS: Limits = {
  maxAmount: null,
  perDay: null,
  perMonth: null,
  countPerDay: null,
}

export type Judged = { readonly ok: true; readonly terms: Terms } | Fault
/** In words for the page. */
export type Fault = { readonly ok: false; readonly message: string }

/** What an app asks for, as terms; `prepared` is the consent that it asked for over the API before. */
export function termsOf(ask: ConsentAsk, prepared: ConsentRow | undefined, now: Date): Judged {
  const { authorizationDetails: details, scopes, client } = ask
  const payments = details.filter(({ type }) => type === 'payment_initiation')
  const information = details.filter(({ type }) => type === 'account_information')
  if (payments.length + information.length !== details.length || details.length > 1) {
    return fault('This app asks for several things at once. It must ask for each by itself.')
  }
  const [payment] = payments
  if (payment !== undefined) return paymentTerms(payment, scopes, now)
  const asked = scopes.filter(isPermission)
  const detail = information[0] ?? {}
  const actions = list(detail['actions'])
  const permissions = asked.filter(
    (one) =>
      (actions === undefined || !READS.has(one) || actions.includes(one)) &&
      (prepared === undefined || prepared.permissions.includes(one)) &&
      (one !== 'transfer:write' || client.profile === 'standard'),
  )
  if (preparedId(ask) !== undefined && prepared === undefined) {
    return fault('What this app asks for was answered before, or has run out. Begin again there.')
  }
  if (permissions.length === 0) return fault('This app asks for nothing that you can allow.')
  const until = prepared?.valid_until ?? instant(detail['valid_until'])
  const validUntil = until ?? new Date(now.getTime() + DEFAULT_DAYS * DAY_MS)
  if (validUntil <= now) return fault('What this app asks for has run out already.')
  const transfers = permissions.includes('transfer:write')
  return {
    ok: true,
    terms: {
      permissions,
      limits: transfers ? limitsOf(prepared) : NO_LIMITS,
      validUntil: noLaterThan(validUntil, latestEnd(now)),
      transactionsFrom: prepared?.transactions_from ?? instant(detail['transactions_from']) ?? null,
      transactionsTo: prepared?.transactions_to ?? instant(detail['transactions_to']) ?? null,
      suggested: new Set(list(detail['account_ids'])?.flatMap((id) => internalId('acc', id) ?? [])),
      payment: null,
    },
  }
}

/** The last moment until which a consent given now may stand. */
export function latestEnd(now: Date): Date {
  return new Date(now.getTime() + MAX_DAYS * DAY_MS)
}

const READS: ReadonlySet<string> = new Set(['accounts:read', 'balance:read', 'transactions:read'])

/** A consent to a payment is for that payment and nothing else. */
function paymentTerms(
  detail: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
  now: Date,
): Judged {
  if (!scopes.includes('transfer:write')) {
    return fault('This app asks for a payment without asking for the right to make it.')
  }
  const { from_account_id: from, to_account_id: to, amount, currency, reference } = detail
  const toAccountId = typeof to === 'string' ? internalId('acc', to) : undefined
  if (toAccountId === undefined || !Number.isSafeInteger(amount) || typeof currency !== 'string') {
    return fault('This app asks for a payment that cannot be made.')
  }
  return {
    ok: true,
    terms: {
      permissions: ['transfer:write'],
      limits: NO_LIMITS,
      validUntil: new Date(now.getTime() + PAYMENT_DAYS * DAY_MS),
      transactionsFrom: null,
      transactionsTo: null,
      suggested: new Set(),
      payment: {
        fromAccountId: typeof from === 'string' ? (internalId('acc', from) ?? null) : null,
        toAccountId,
        amount: BigInt(amount as number),
        currency,
        reference: typeof reference === 'string' ? reference : null,
      },
    },
  }
}

/** The consent that a request refers to, as `con_…`: made before by `POST /api/consents`. */
export function preparedId({ authorizationDetails }: ConsentAsk): string | undefined {
  const id = authorizationDetails[0]?.['consent_id']
  return typeof id === 'string' ? internalId('con', id) : undefined
}

function limitsOf(prepared: ConsentRow | undefined): Limits {
  if (prepared === undefined) return DEFAULT_LIMITS
  return {
    maxAmount: prepared.max_amount,
    perDay: prepared.per_day,
    perMonth: prepared.per_month,
    countPerDay: prepared.count_per_day,
  }
}

function fault(message: string): Fault {
  return { ok: false, message }
}

function list(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined
}

function instant(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined
  const at = new Date(value)
  return Number.isNaN(at.getTime()) ? undefined : at
}

function noLaterThan(at: Date, latest: Date): Date {
  return at < latest ? at : latest
}
