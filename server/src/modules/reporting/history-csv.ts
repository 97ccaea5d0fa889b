import { publicId } from '../../platform/ids.ts'
import { decimalOf } from '../../platform/money.ts'
import { type CsvColumn, csvLine, csvLines } from './csv-writer.ts'
import { type FlatRow, descriptionOf, referenceOf, statusOf } from './history-row.ts'
import { inertText } from './inert-text.ts'

/** Column ids are public API: never renamed, new ones at the end. */
const columns = [
  { name: 'id', quoted: true, value: (row) => publicId('txn', row.transaction_id) },
  { name: 'type', value: (row) => row.type },
  { name: 'status', value: statusOf },
  { name: 'booked_at', value: (row) => row.booked_at },
  { name: 'effective_on', value: (row) => row.effective_on },
  { name: 'amount', value: (row) => decimalOf(row.amount, row.currency) },
  { name: 'amount_minor', value: (row) => row.amount.toString() },
  { name: 'currency', value: (row) => row.currency },
  { name: 'description', value: (row) => inertOrNull(descriptionOf(row)) },
  { name: 'reference', value: (row) => inertOrNull(referenceOf(row)) },
  { name: 'payment_id', quoted: true, value: (row) => idOrNull('pay', row.payment?.payment_id) },
  { name: 'payment_status', value: (row) => row.payment?.status ?? null },
  {
    name: 'debit_account_id',
    quoted: true,
    value: (row) => idOrNull('acc', row.sides?.debit_account_id),
  },
  {
    name: 'credit_account_id',
    quoted: true,
    value: (row) => idOrNull('acc', row.sides?.credit_account_id),
  },
  {
    name: 'reverses_transaction_id',
    quoted: true,
    value: (row) => idOrNull('txn', row.reverses_transaction_id),
  },
  {
    name: 'reversed_by_transaction_id',
    quoted: true,
    value: (row) => idOrNull('txn', row.reversed_by_transaction_id),
  },
  { name: 'entry_count', value: (row) => row.entry_count.toString() },
  { name: 'metadata', value: (row) => JSON.stringify(row.metadata) },
] as const satisfies readonly CsvColumn<FlatRow>[]

export type HistoryColumn = (typeof columns)[number]['name']

export const historyColumns: readonly HistoryColumn[] = columns.map(({ name }) => name)

export interface CsvStyle {
  readonly delimiter: ',' | ';'
  /** A byte order mark, without which Excel reads UTF-8 as something else. */
  readonly bom: boolean
  /** In the order wanted; all of them when empty. */
  readonly columns: readonly HistoryColumn[]
}

const BYTE_ORDER_MARK = '\uFEFF'

export function csvWriter({ delimiter, bom, columns: wanted }: CsvStyle) {
  const chosen: readonly CsvColumn<FlatRow>[] =
    wanted.length === 0 ? columns : wanted.map((name) => byName.get(name) as CsvColumn<FlatRow>)
  const names = chosen.map(({ name }) => name)
  return {
    head: (bom ? BYTE_ORDER_MARK : '') + csvLine(names, delimiter),
    lines: (rows: readonly FlatRow[]) => csvLines(rows, chosen, delimiter),
  }
}

const byName = new Map<HistoryColumn, CsvColumn<FlatRow>>(
  columns.map((column) => [column.name, column]),
)

function inertOrNull(text: string | null): string | null {
  return text === null ? null : inertText(text)
}

function idOrNull(prefix: string, uuid: string | null | undefined): string | null {
  return uuid === null || uuid === undefined ? null : publicId(prefix, uuid)
}
