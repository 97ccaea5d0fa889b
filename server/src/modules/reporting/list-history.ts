import { setTimeout as delay } from 'node:timers/promises'
import { firstIdAt } from '../../platform/ids.ts'
import type { Page } from '../../platform/page.ts'
import type { HistoryFilters } from './history.filters.ts'
import type { DetailedRow } from './history-row.ts'
import { type Views, findHorizon, listDetailed } from './history.queries.ts'

/**
 * One page of the history, with one row more when there is more.
 *
 * Newest first, a page cannot miss a row: what commits later with an earlier id had not happened when
 * the list was begun. Oldest first it could: ids are stamped when a request arrives, and a row of an
 * earlier one may commit behind a cursor that has passed it. So no ascending cursor passes the commit
 * horizon: the time since when somebody has been writing, less the time that a request may wait before
 * it writes. Rows beyond it are shown only where the list ends with them, because there no cursor is
 * given that could skip anything. The horizon is read first, in a statement of its own: whoever was
 * writing then is behind it, and whoever began later is newer than it.
 *
 * An account's entries need none of this: its row lock books them in the order in which they commit.
 */
export async function listHistory(
  db: Views,
  tenantId: string,
  filters: HistoryFilters,
  page: Page,
): Promise<{ rows: DetailedRow[]; page: Page }> {
  const stretch = { ...page, limit: page.limit + 1 }
  if (page.order === 'desc' || filters.accountId !== undefined) {
    return { rows: await listDetailed(db, tenantId, filters, stretch), page }
  }
  for (let tries = 1; ; tries += 1) {
    const horizon = await findHorizon(db)
    const rows = await listDetailed(db, tenantId, filters, stretch)
    if (rows.length <= page.limit) return { rows, page }
    const bound = firstIdAt(new Date(horizon.getTime() - LEAD_MS))
    const settled = rows.slice(0, page.limit).filter((row) => row.transaction_id < bound).length
    // Waiting a moment is better than an end of the list that is none.
    if (settled > 0 || tries === MAX_TRIES) {
      return { rows: rows.slice(0, settled + 1), page: { ...page, limit: settled } }
    }
    await delay(PAUSE_MS)
  }
}

// A request that would wait longer than this for its batch is turned away, and clocks differ little.
// Longer: pages near the present wait longer.
const LEAD_MS = 2_000
const PAUSE_MS = 500
const MAX_TRIES = 6 // longer than LEAD_MS; a writer that takes longer still ends the list here
