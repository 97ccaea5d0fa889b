import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { isPayable } from '../currencies.ts'
import { ApiError, type FieldError } from '../errors.ts'
import { closeRecords } from './close-records.ts'
import { type HttpPart, fieldErrors } from './field-errors.ts'
import { refuse } from './http.errors.ts'

/**
 * Bodies are judged as they are: nothing is coerced and nothing is dropped, so a mistyped name is an
 * error and never a silent default. Query, path and headers are text on the wire, so there numbers
 * and lists are read out of it.
 *
 * All errors of a part are gathered, which is safe only because every schema bounds its strings,
 * lists and numbers. A schema is compiled when its route is first used: the hundreds of a full
 * server would cost every start seconds.
 */
export function buildValidator(schemas: Record<string, unknown>) {
  let strict: Ajv2020 | undefined
  let loose: Ajv2020 | undefined
  return ({ schema, httpPart }: { schema: AnySchema; httpPart?: string }) => {
    const part = partOf(httpPart)
    let validate: ValidateFunction | undefined
    return (data: unknown) => {
      validate ??=
        part === 'body'
          ? (strict ??= newAjv(schemas, false)).compile(closeRecords(schema))
          : (loose ??= newAjv(schemas, 'array')).compile(schema)
      const nul = part === 'body' ? undefined : parameterWithNul(data)
      if (nul !== undefined) return { error: invalidRequest([nul]) }
      if (validate(data)) return { value: data }
      return { error: invalidRequest(fieldErrors(validate.errors as ErrorObject[], part)) }
    }
  }
}

export function invalidRequest(errors: readonly FieldError[]): ApiError {
  const [first] = errors
  if (first === undefined) return new ApiError(refuse('invalid_request'))
  const place = first.pointer ?? first.parameter ?? first.header
  return new ApiError(refuse('invalid_request', { detail: `${place}: ${first.detail}.`, errors }))
}

function partOf(httpPart: string | undefined): HttpPart {
  return httpPart === 'querystring' ? 'query' : ((httpPart ?? 'body') as HttpPart)
}

function newAjv(schemas: Record<string, unknown>, coerceTypes: false | 'array'): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    coerceTypes,
    removeAdditional: false,
    useDefaults: true,
    strictSchema: true,
    strictTypes: false, // a nullable member is `type: ['string', 'null']` or a union
    strictTuples: true,
    allowUnionTypes: true,
    schemas: Object.values(schemas).map(closeRecords) as object[],
  })
  ajvFormats.default(ajv, ['date', 'date-time', 'email', 'uri', 'uuid'])
  ajv.addFormat('date-time', isInstant)
  ajv.addFormat('currency', isPayable)
  ajv.addVocabulary(['example', 'x-id', 'x-open-enum'])
  return ajv
}

const RFC_3339 = ajvFormats.default.get('date-time') as { validate: (text: string) => boolean }

/**
 * RFC 3339 knows leap seconds, which neither `Date` nor the database does, and the year 0 and offsets
 * of sixteen hours and more, on which the database fails.
 */
export function isInstant(text: string): boolean {
  if (!RFC_3339.validate(text) || text.startsWith('0000') || FAR_OFFSET.test(text)) return false
  return Date.parse(text) >= YEAR_1
}

const FAR_OFFSET = /[+-](?:1[6-9]|2\d):?\d\d$/
const YEAR_1 = Date.parse('0001-01-01T00:00:00Z')

/** PostgreSQL keeps no NUL and fails on it. In a body the reader of JSON has refused it before. */
function parameterWithNul(data: unknown): FieldError | undefined {
  const found = Object.entries(data ?? {}).find(([, value]) => [value].flat().some(hasNul))
  return found && { parameter: found[0], code: 'bad_format', detail: 'must not contain NUL' }
}

function hasNul(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\0')
}
