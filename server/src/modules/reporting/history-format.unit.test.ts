import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HistoryFormat, formatOf } from './history-format.ts'

const wishes: [accept: string | undefined, format: HistoryFormat][] = [
  [undefined, 'json'],
  ['', 'json'],
  ['*/*', 'json'],
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['TEXT/CSV; charset=utf-8; header=present', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['text/*', 'csv'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'json'],
  ['application/json;q=0.5, text/csv', 'csv'],
  ['text/csv;q=0.5, application/json', 'json'],
  ['text/csv, application/x-ndjson', 'csv'],
  ['application/x-ndjson;q=0.9, text/csv;q=0.8, */*;q=0.1', 'ndjson'],
  ['text/csv;q=0', 'json'],
  ['text/csv;q=x', 'json'],
  ['image/png', 'json'],
]
for (const [accept, format] of wishes) {
  test(`Accept: ${accept} is answered as ${format}`, () => assert.equal(formatOf(accept), format))
}
