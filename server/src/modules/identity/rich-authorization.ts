import {
  type AuthorizationDetail,
  type Client,
  type KoaContextWithOIDC,
  errors,
} from 'oidc-provider'
import { type TSchema, Type } from 'typebox'
import { Check } from 'typebox/value'
import { closed } from '../../platform/fields.ts'
import { isPayable } from '../../platform/currencies.ts'
import { isInstant } from '../../platform/http/validation.ts'
import { idPattern } from '../../platform/ids.ts'
import { CurrencyCode, MAX_AMOUNT } from '../../platform/money.ts'

/**
 * Rich authorization requests (RFC 9396): one payment that the customer approves as it stands, or
 * accounts to look at until a day, or a consent that was asked for before. Their shapes are judged
 * here; what they mean, and whether they may be, is decided where accounts are known.
 */
const Account = Type.String({ pattern: idPattern('acc'), maxLength: 30 })
const Instant = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T[\\d:.]{5,12}(?:Z|[+-]\\d{2}:\\d{2})$',
})

const PaymentInitiation = Type.Object(
  {
    type: Type.Literal('payment_initiation'),
    from_account_id: Type.Optional(Account),
    to_account_id: Account,
    amount: Type.Integer({ minimum: 1, maximum: MAX_AMOUNT }),
    currency: CurrencyCode,
    reference: Type.Optional(Type.String({ minLength: 1, maxLength: 140 })),
  },
  closed,
)

/** A consent that the app has asked for over the API, with all its terms. */
const PreparedConsent = Type.Object(
  {
    type: Type.Literal('account_information'),
    consent_id: Type.String({ pattern: idPattern('con'), maxLength: 30 }),
  },
  closed,
)

const AccountInformation = Type.Object(
  {
    type: Type.Literal('account_information'),
    actions: Type.Array(
      Type.Union([
        Type.Literal('accounts:read'),
        Type.Literal('balance:read'),
        Type.Literal('transactions:read'),
      ]),
      { minItems: 1, maxItems: 3, uniqueItems: true },
    ),
    account_ids: Type.Optional(Type.Array(Account, { minItems: 1, maxItems: 100 })),
    valid_until: Instant,
    transactions_from: Type.Optional(Instant),
    transactions_to: Type.Optional(Instant),
  },
  closed,
)

const types: Readonly<Record<string, TSchema>> = {
  payment_initiation: PaymentInitiation,
  account_information: Type.Union([PreparedConsent, AccountInformation]),
}

/** A code or a token, and what it is bound to. */
interface Bound {
  readonly rar?: AuthorizationDetail[] | undefined
}

export function richAuthorizationRequests() {
  return {
    enabled: true as const,
    types: Object.fromEntries(
      Object.entries(types).map(([type, shape]) => [
        type,
        {
          validate(ctx: KoaContextWithOIDC, detail: AuthorizationDetail, client: Client) {
            validate(shape, detail, client)
            assertAlone(detail, ctx.oidc.params?.['authorization_details'])
          },
        },
      ]),
    ),
    authorizationDetailsForGrantSource: (ctx: KoaContextWithOIDC) => ctx.oidc.entities.Grant?.rar,
    authorizationDetailsForAccessToken: (_ctx: unknown, _token: unknown, source?: Bound) =>
      source?.rar,
    authorizationDetailsForIntrospection: (_ctx: unknown, token: Bound) => token.rar,
  }
}

function validate(shape: TSchema, detail: AuthorizationDetail, client: Client): void {
  const { type } = detail
  const registered = client.authorizationDetailsTypes
  // The library lets a client that registered no types use every one.
  if (registered?.includes(type) !== true) {
    throw new errors.InvalidAuthorizationDetails(
      `authorization details type '${type}' is not registered for this client`,
    )
  }
  if (!Check(shape, detail) || !isSound(detail)) {
    throw new errors.InvalidAuthorizationDetails(
      `authorization details of type '${type}' are malformed`,
    )
  }
}

const INSTANTS = ['valid_until', 'transactions_from', 'transactions_to']
// What a page cannot show, or a row cannot keep: control characters and halves of a character.
const UNPRINTABLE = /\p{Cc}|\p{Cs}/u

/** What a pattern cannot say: that a day exists, that a currency can be paid in, that text is text. */
function isSound(detail: AuthorizationDetail): boolean {
  const { currency } = detail as { readonly currency?: unknown }
  if (typeof currency === 'string' && !isPayable(currency)) return false
  return Object.entries(detail).every(([name, value]) => {
    if (typeof value !== 'string') return true
    return INSTANTS.includes(name) ? isInstant(value) : !UNPRINTABLE.test(value)
  })
}

// Of several payments on one page somebody would approve the others by the way.
function assertAlone({ type }: AuthorizationDetail, asked: unknown): void {
  if (type !== 'payment_initiation' || detailsOf(asked).length === 1) return
  throw new errors.InvalidAuthorizationDetails('a payment_initiation is asked for alone')
}

/** The details of a request whose shapes were judged. */
export function detailsOf(asked: unknown): readonly AuthorizationDetail[] {
  return typeof asked === 'string' ? (JSON.parse(asked) as AuthorizationDetail[]) : []
}
