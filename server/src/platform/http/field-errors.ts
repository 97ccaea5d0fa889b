import type { ErrorObject } from 'ajv/dist/2020.js'
import type { FieldError, FieldErrorCode } from '../errors.ts'
import { MAX_FIELD_ERRORS } from './problem.ts'

/** Where in a request a schema was applied. */
export type HttpPart = 'body' | 'query' | 'params' | 'headers'

/** Ajv's errors in the words of the API: where, one code of eight, and what would be right. */
export function fieldErrors(errors: readonly ErrorObject[], part: HttpPart): FieldError[] {
  const found: FieldError[] = []
  const seen = new Set<string>()
  for (const error of withoutUnionNoise(errors)) {
    const verdict = verdictOf(error)
    if (verdict === undefined) continue
    const [code, detail, member] = verdict
    const path =
      member === undefined ? error.instancePath : `${error.instancePath}/${escape(member)}`
    const place = placeOf(part, path)
    const id = `${place.pointer ?? place.parameter ?? place.header} ${code}`
    if (seen.has(id)) continue
    seen.add(id)
    found.push({ ...place, code, detail })
    if (found.length === MAX_FIELD_ERRORS) break
  }
  return found
}

type Place = Pick<FieldError, 'pointer' | 'parameter' | 'header'>

function placeOf(part: HttpPart, path: string): Place {
  if (part === 'body') return { pointer: `#${encodeURI(path).replaceAll('#', '%23')}` }
  const [name = ''] = path.slice(1).split('/')
  const plain = name.replaceAll('~1', '/').replaceAll('~0', '~')
  return part === 'headers' ? { header: plain } : { parameter: plain }
}

function escape(name: string): string {
  const shown = name.length > 64 ? name.slice(0, 64) : name
  return shown.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')
}

type Verdict = readonly [code: FieldErrorCode, detail: string, member?: string]

function verdictOf({ keyword, params, parentSchema }: ErrorObject): Verdict | undefined {
  switch (keyword) {
    case 'required':
      return ['required', 'this field is required', String(params['missingProperty'])]
    case 'dependentRequired':
      return [
        'required',
        `required beside ${params['property']}`,
        String(params['missingProperty']),
      ]
    case 'additionalProperties':
      return ['unknown_field', 'no such field', String(params['additionalProperty'])]
    case 'unevaluatedProperties':
      return ['unknown_field', 'no such field', String(params['unevaluatedProperty'])]
    case 'propertyNames':
      return ['not_allowed', 'this name is not allowed', String(params['propertyName'])]
    case 'type':
      return ['wrong_type', `must be ${[params['type']].flat().join(' or ')}`]
    case 'minimum':
    case 'exclusiveMinimum':
      return ['too_small', `at least ${params['limit']}`]
    case 'maximum':
    case 'exclusiveMaximum':
      return ['too_large', `at most ${params['limit']}`]
    case 'minLength':
      return ['too_small', `at least ${params['limit']} characters`]
    case 'maxLength':
      return ['too_long', `at most ${params['limit']} characters`]
    case 'minItems':
      return ['too_small', `at least ${params['limit']} items`]
    case 'maxItems':
      return ['too_long', `at most ${params['limit']} items`]
    case 'minProperties':
      return ['too_small', `at least ${params['limit']} members`]
    case 'maxProperties':
      return ['too_long', `at most ${params['limit']} members`]
    case 'pattern':
      return ['bad_format', `must match ${params['pattern']}`]
    case 'format':
      return ['bad_format', FORMATS[String(params['format'])] ?? `must be a ${params['format']}`]
    case 'multipleOf':
      return ['bad_format', `must be a multiple of ${params['multipleOf']}`]
    case 'enum':
      return ['not_allowed', `one of ${(params['allowedValues'] as unknown[]).join(', ')}`]
    case 'const':
      return ['not_allowed', `must be ${JSON.stringify(params['allowedValue'])}`]
    case 'uniqueItems':
      return ['not_allowed', 'the same item occurs twice']
    case 'if': // its branch reports what is wrong
      return undefined
    case 'anyOf':
    case 'oneOf':
      return unionVerdict(parentSchema)
    default:
      return ['not_allowed', 'this value is not allowed here']
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  currency: 'must be the ISO 4217 code of a currency that can be paid',
  date: 'must be a date, YYYY-MM-DD',
  'date-time': 'must be an instant of RFC 3339 with its offset',
}

// A union of constants is an enum in other words: name the choices.
function unionVerdict(schema: ErrorObject['parentSchema']): Verdict {
  const branches = (schema?.['anyOf'] ?? schema?.['oneOf']) as { const?: unknown }[] | undefined
  const choices = branches?.flatMap((branch) => ('const' in branch ? [branch.const] : [])) ?? []
  return choices.length > 0 && choices.length === branches?.length
    ? ['not_allowed', `one of ${choices.join(', ')}`]
    : ['not_allowed', 'fits none of the allowed shapes']
}

/**
 * A failed union reports every branch. Branches whose constants or type do not fit were not meant:
 * when one branch is left, its errors alone are told; otherwise only the union's own.
 */
function withoutUnionNoise(errors: readonly ErrorObject[]): ErrorObject[] {
  let left = [...errors]
  for (const union of errors) {
    if (union.keyword !== 'anyOf' && union.keyword !== 'oneOf') continue
    const prefix = `${union.schemaPath}/`
    const branches = new Map<string, ErrorObject[]>()
    for (const error of left) {
      if (!error.schemaPath.startsWith(prefix)) continue
      const branch = error.schemaPath.slice(prefix.length).split('/', 1)[0] as string
      branches.set(branch, [...(branches.get(branch) ?? []), error])
    }
    const meant = [...branches.values()].filter(
      (branch) => !branch.some((error) => misses(union, error)),
    )
    const told = meant.length === 1 ? (meant[0] as ErrorObject[]) : [union]
    const heard = new Set([union, ...[...branches.values()].flat()])
    left = left.flatMap((error) => (error === union ? told : heard.has(error) ? [] : [error]))
  }
  return left
}

function misses(union: ErrorObject, { keyword, instancePath }: ErrorObject): boolean {
  return keyword === 'const' || (keyword === 'type' && instancePath === union.instancePath)
}
