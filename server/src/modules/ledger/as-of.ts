import type { FieldError } from '../../platform/errors.ts'
import { invalidRequest } from '../../platform/http/validation.ts'
import type { BalanceQuery } from './balance.schema.ts'

/** A question about the past: an instant on the booked basis, a day on the effective one. */
export type AsOf =
  | { readonly basis: 'booked'; readonly instant: string | undefined }
  | { readonly basis: 'effective'; readonly day: string | undefined }

/** Throws `invalid_request` when the time does not fit the basis: never an answer to another question. */
export function asOfIn({ as_of: text, basis = 'booked' }: BalanceQuery): AsOf {
  const isDay = text !== undefined && text.length === 10
  if (basis === 'effective') {
    if (text !== undefined && !isDay) throw invalidRequest([NEEDS_DAY])
    return { basis, day: text }
  }
  if (isDay) throw invalidRequest([NEEDS_INSTANT])
  return { basis, instant: text }
}

const NEEDS_DAY: FieldError = {
  parameter: 'as_of',
  code: 'bad_format',
  detail: 'must be a day, as 2026-11-23, on the effective basis',
}
const NEEDS_INSTANT: FieldError = {
  parameter: 'as_of',
  code: 'bad_format',
  detail: 'must be an instant, as 2026-11-23T10:00:00Z, on the booked basis',
}
