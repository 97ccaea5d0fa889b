import { toTransaction } from './history.schema.ts'
import type { HistoryFilters } from './history.filters.ts'
import { type CsvStyle, csvWriter } from './history-csv.ts'
import type { DetailedRow, FlatRow, HistoryHead } from './history-row.ts'
import { type Stretch, type Views, listDetailed, listFlat, placeOf } from './history.queries.ts'

/** What an export is asked for. Plain data: it travels to a thread. */
export interface Asked {
  readonly tenantId: string
  readonly filters: HistoryFilters
  readonly order: 'asc' | 'desc'
  readonly form:
    | { readonly format: 'csv'; readonly style: CsvStyle }
    | { readonly format: 'ndjson' }
}

// Fewer: more round trips. More: memory, and no faster; two chunks with all the metadata that rows may
// have must fit into the heap of a thread.
const CHUNK_ROWS = 500
const PIECE_CHARS = 128 * 1024 // Shorter: more messages between threads. Longer: more memory.
const ROWS_AT_ONCE = 25 // into one text, before its length is looked at

/** The whole export, when it is no longer than a chunk; undefined when it is. */
export async function shortExport(tx: Views, asked: Asked): Promise<string | undefined> {
  return asked.form.format === 'csv'
    ? await shortest(tx, asked, csv(asked.form.style))
    : await shortest(tx, asked, ndjson)
}

/** Piece by piece in the order asked. Run it in one snapshot. */
export function exportPieces(tx: Views, asked: Asked): AsyncGenerator<string> {
  return asked.form.format === 'csv'
    ? pieces(tx, asked, csv(asked.form.style))
    : pieces(tx, asked, ndjson)
}

/** How rows become text. */
interface Writer<Row> {
  readonly head: string
  readonly list: (
    tx: Views,
    tenantId: string,
    filters: HistoryFilters,
    stretch: Stretch,
  ) => Promise<Row[]>
  readonly lines: (rows: readonly Row[]) => string
  readonly tail: (count: number) => string
}

function csv(style: CsvStyle): Writer<FlatRow> {
  return { ...csvWriter(style), list: listFlat, tail: () => '' }
}

/** A line per transaction, and a last one that says how many there were. */
const ndjson: Writer<DetailedRow> = {
  head: '',
  list: listDetailed,
  lines: (rows) => rows.map((row) => `${JSON.stringify(toTransaction(row))}\n`).join(''),
  tail: (rows) => `${JSON.stringify({ object: 'end', rows })}\n`,
}

async function shortest<Row>(
  tx: Views,
  { tenantId, filters, order }: Asked,
  { head, list, lines, tail }: Writer<Row>,
): Promise<string | undefined> {
  const rows = await list(tx, tenantId, filters, { order, limit: CHUNK_ROWS + 1 })
  return rows.length > CHUNK_ROWS ? undefined : head + lines(rows) + tail(rows.length)
}

async function* pieces<Row extends HistoryHead>(
  tx: Views,
  { tenantId, filters, order }: Asked,
  { head, list, lines, tail }: Writer<Row>,
): AsyncGenerator<string> {
  const read = (after?: readonly string[]) =>
    list(tx, tenantId, filters, { order, limit: CHUNK_ROWS, ...(after !== undefined && { after }) })
  let text = head
  let count = 0
  let coming: Promise<Row[]> | undefined = read()
  while (coming !== undefined) {
    const rows: Row[] = await coming
    const last = rows.at(-1)
    // The database reads the next chunk while this one is written.
    coming = last === undefined || rows.length < CHUNK_ROWS ? undefined : read(placeOf(last))
    coming?.catch(() => undefined) // heard when it is awaited, if it ever is
    count += rows.length
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      text += lines(rows.slice(from, from + ROWS_AT_ONCE))
      if (text.length < PIECE_CHARS) continue
      yield text
      text = ''
    }
  }
  const end = text + tail(count)
  if (end !== '') yield end
}
