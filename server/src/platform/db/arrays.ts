/**
 * PostgreSQL array literals. `pg` would escape every element of a JavaScript array; for values that
 * cannot contain a quote, a join is enough and costs a tenth.
 */

type Plain = string | number | bigint | boolean

/** uuids, integers, booleans and codes of [A-Za-z0-9_.:+-]: nothing that needs quoting. */
export function plain(values: readonly (Plain | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : value)).join(',')}}`
}

/** Any text, with nulls. */
export function texts(values: readonly (string | null)[]): string {
  return `{${values.map(quoted).join(',')}}`
}

/** jsonb[] or text[] of JSON. Its text holds no raw control characters, so a JSON string escapes it. */
export function jsons(values: readonly (object | null)[]): string {
  return `{${values.map(escapedJson).join(',')}}`
}

function escapedJson(value: object | null): string {
  return value === null ? 'NULL' : JSON.stringify(JSON.stringify(value))
}

/** The same of JSON that is text already. */
export function jsonTexts(values: readonly string[]): string {
  return `{${values.map((text) => JSON.stringify(text)).join(',')}}`
}

/** bytea[] from hex digits. */
export function bytes(hexes: readonly string[]): string {
  return `{${hexes.map((hex) => `"\\\\x${hex}"`).join(',')}}`
}

/** timestamptz[] of millisecond instants. */
export function instants(values: readonly (Date | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.toISOString()}"`)).join(',')}}`
}

function quoted(value: string | null): string {
  if (value === null) return 'NULL'
  return NEEDS_ESCAPE.test(value) ? `"${value.replaceAll(ESCAPED, '\\$&')}"` : `"${value}"`
}

const NEEDS_ESCAPE = /["\\]/
const ESCAPED = /["\\]/g
