/** The member that a path like `failure.code` or `data.0.id` leads to; undefined when it leads nowhere. */
export function memberOf(value: unknown, path: string): unknown {
  let found = value
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}

/** The same when it must be a list: anything else is an empty one, which the checks will notice. */
export function listOf(value: unknown, path: string): readonly unknown[] {
  const found = memberOf(value, path)
  return Array.isArray(found) ? found : []
}

/** Of the numbers at `path` in each item. One that is missing makes the sum NaN. */
export function sumOf(items: readonly unknown[], path: string): number {
  return items.reduce<number>((sum, item) => sum + Number(memberOf(item, path)), 0)
}
