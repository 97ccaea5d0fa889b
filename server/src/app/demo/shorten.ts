const MAX_TEXT = 60
const MAX_ITEMS = 2
const MAX_LINES = 3
const SECRETS = new Set(['access_token', 'refresh_token', 'id_token', 'client_secret'])

/** What a reader wants of a body: no secrets, no nulls, and of long lists and texts the beginning. */
export function shorten(value: unknown): unknown {
  if (typeof value === 'string') return shortText(value)
  if (Array.isArray(value)) {
    const shown = value.slice(0, MAX_ITEMS).map(shorten)
    const left = value.length - shown.length
    return left > 0 ? [...shown, `… ${left} more`] : shown
  }
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
    .map(([name, member]) => [name, SECRETS.has(name) ? '(not shown)' : shorten(member)] as const)
    .filter(([, member]) => !isEmpty(member))
  return Object.fromEntries(members)
}

function shortText(text: string): string {
  const lines = text.trim().split(/\r?\n/)
  if (lines.length > 1) {
    const shown = lines.slice(0, MAX_LINES).join('\n')
    return lines.length > MAX_LINES ? `${shown}\n… ${lines.length - MAX_LINES} more lines` : shown
  }
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}
