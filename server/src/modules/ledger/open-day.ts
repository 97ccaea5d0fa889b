import { type Outcome, accept } from '../../platform/errors.ts'
import { businessDay, daysAfter } from './business-day.ts'
import { refuse } from './ledger.errors.ts'
import type { LockedBooks } from './lock-books.ts'
import type { Post } from './posting.ts'

const MAX_DAYS_AHEAD = 5 // Fewer: a weekend and a holiday are not reached. More: that is a schedule.

/** The day a booking takes effect: the one asked for, if it is open, else today. */
export function openDay(
  books: LockedBooks,
  {
    tenantId,
    at,
    effectiveOn,
    ifClosed,
  }: Pick<Post, 'tenantId' | 'at' | 'effectiveOn' | 'ifClosed'>,
): Outcome<string> {
  const book = books.books.get(tenantId)
  if (book === undefined) throw new Error(`tenant ${tenantId} has no books`)
  const today = businessDay(at, book.timeZone)
  const day = effectiveOn ?? today
  if (day > today && day > daysAfter(today, MAX_DAYS_AHEAD))
    return refuse('effective_date_out_of_range')
  if (day > book.closedThrough) return accept(day)
  if (ifClosed === 'next_open') return accept(daysAfter(book.closedThrough, 1))
  return refuse('period_closed', { closed_through: book.closedThrough })
}
