const SLOT_MS = 15 * 60_000 // offsets of time zones are multiples of a quarter of an hour
const MAX_CACHED = 1_000
const cache = new Map<string, string>()
const formats = new Map<string, Intl.DateTimeFormat>()

/** The business day `YYYY-MM-DD` of an instant in a time zone (IANA name). */
export function businessDay(at: Date, timeZone: string): string {
  if (timeZone === 'UTC') return at.toISOString().slice(0, 10)
  const slot = `${timeZone} ${Math.floor(at.getTime() / SLOT_MS)}`
  let day = cache.get(slot)
  if (day === undefined) {
    day = formatOf(timeZone).format(at)
    if (cache.size >= MAX_CACHED) cache.clear()
    cache.set(slot, day)
  }
  return day
}

/** The calendar day `count` days after `day`. */
export function daysAfter(day: string, count: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + count)
  return date.toISOString().slice(0, 10)
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    // en-CA writes year-month-day.
    format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
    formats.set(timeZone, format)
  }
  return format
}
