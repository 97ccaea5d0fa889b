/**
 * A union of literals reads as an enum: generators make a type of it, and people a list. TypeBox
 * writes `anyOf` of `const`, which is the same in more words.
 */
export function enumsOfConstants(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(enumsOfConstants)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, enumsOfConstants(member)])
  const { anyOf, ...rest } = Object.fromEntries(members) as Record<string, unknown>
  if (anyOf === undefined) return rest
  const choices = Array.isArray(anyOf) ? anyOf.map(constantOf) : []
  if (choices.length === 0 || choices.includes(undefined)) return { anyOf, ...rest }
  return { type: 'string', enum: choices, ...rest }
}

function constantOf(schema: unknown): string | undefined {
  const { const: constant, ...rest } = schema as { const?: unknown; type?: unknown }
  const isBare = Object.keys(rest).every((name) => name === 'type')
  return isBare && typeof constant === 'string' ? constant : undefined
}
