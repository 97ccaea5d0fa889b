/**
 * A record with a pattern for its names (`metadata`: 1 to 40 characters) says nothing about names
 * that do not match: JSON Schema lets them in, with any value. Here nothing comes in unseen.
 */
export function closeRecords<Schema>(schema: Schema): Schema {
  return closed(schema) as Schema
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(
    Object.entries(schema).map(([name, member]) => [name, closed(member)]),
  )
  const isRecord = typeof copy['patternProperties'] === 'object' && copy['type'] === 'object'
  return isRecord && copy['additionalProperties'] === undefined
    ? { ...copy, additionalProperties: false }
    : copy
}
