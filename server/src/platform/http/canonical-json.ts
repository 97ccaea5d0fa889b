/** JSON with sorted names, so that the order in which a client writes members does not matter. */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? 'null'
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(sorted)
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value).toSorted()) {
    copy[name] = sorted((value as Record<string, unknown>)[name])
  }
  return copy
}
