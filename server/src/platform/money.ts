import { Type } from 'typebox'
import { digitsOf } from './currencies.ts'

/**
 * Money is a bigint of minor units beside an ISO 4217 code. In JSON it is a whole number, and no
 * number leaves here that a double cannot hold exactly; in files it is an exact decimal text.
 */

const MAX_JSON = BigInt(Number.MAX_SAFE_INTEGER)

/** The only way an amount of a row reaches a JSON body. Throws beyond ±(2^53 − 1). */
export function toJsonAmount(minor: bigint): number {
  if (minor > MAX_JSON || minor < -MAX_JSON) {
    throw new RangeError('an amount is beyond the whole numbers that JSON carries exactly')
  }
  return Number(minor)
}

/** 10^12 minor units: ten thousand million of a currency with two digits. */
export const MAX_AMOUNT = 1_000_000_000_000

/** What one operation moves, in minor units. */
export const Amount = Type.Integer({
  minimum: 1,
  maximum: MAX_AMOUNT,
  description: 'Minor units of the currency: 1050 is 10.50 EUR, or 1050 JPY.',
})

/** A sum of what was moved: zero is possible. */
export const TotalAmount = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units of the currency.',
})

/** A balance or a posting. */
export const SignedAmount = Type.Integer({
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units of the currency; negative where money is owed.',
})

/** A currency that can be paid in. Anything else is refused by the schema. */
export const PayableCurrency = Type.String({
  format: 'currency',
  pattern: '^[A-Z]{3}$',
  minLength: 3,
  maxLength: 3,
  description: 'ISO 4217 code, upper case.',
  examples: ['EUR'],
})

/** A currency in an answer: also one that is no longer payable. */
export const CurrencyCode = Type.String({
  pattern: '^[A-Z]{3}$',
  minLength: 3,
  maxLength: 3,
  description: 'ISO 4217 code, upper case.',
})

/** `1050n` of EUR is `10.50`, of JPY `1050`, of KWD `1.050`. */
export function decimalOf(minor: bigint, currency: string): string {
  const digits = digitsOf(currency)
  const sign = minor < 0n ? '-' : ''
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0')
  if (digits === 0) return sign + text
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/**
 * The exact minor units of a decimal text with a point, or undefined: when it is none, or when it
 * has more fraction digits than the currency.
 */
export function parseDecimal(text: string, currency: string): bigint | undefined {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(text) ?? []
  const digits = digitsOf(currency)
  if (whole === undefined || fraction.length > digits) return undefined
  const minor = BigInt(whole + fraction.padEnd(digits, '0'))
  return sign === '-' ? -minor : minor
}

const MAX_WHOLE_DIGITS = 30 // far beyond any sum; bounds the work of a hostile text
const DECIMAL = new RegExp(`^([+-]?)(\\d{1,${MAX_WHOLE_DIGITS}})(?:\\.(\\d{1,8}))?$`)
