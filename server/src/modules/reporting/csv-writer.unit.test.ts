import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { type CsvColumn, csvLine, csvLines } from './csv-writer.ts'

type Row = readonly (string | null)[]

const columns: readonly CsvColumn<Row>[] = [
  { name: 'plain', value: ([field = null]) => field },
  { name: 'quoted', quoted: true, value: ([, field = null]) => field },
  { name: 'last', value: ([, , field = null]) => field },
]

test('fields stand in quotes where they must, and where the column says so', () => {
  const rows: Row[] = [
    ['a', 'b', 'c'],
    ['a,b', 'say "hi"', 'one;two'],
    ['line\nbreak', null, 'carriage\rreturn'],
    [null, '', ''],
    [' kept ', 'ä€😀', "'"],
  ]
  assert.equal(
    csvLines(rows, columns, ','),
    'a,"b",c\r\n' +
      '"a,b","say ""hi""","one;two"\r\n' +
      '"line\nbreak",,"carriage\rreturn"\r\n' +
      ',"",\r\n' +
      ' kept ,"ä€😀",\'\r\n',
  )
  assert.equal(csvLine(['id', 'amount'], ';'), 'id;amount\r\n')
})

test('a library that is read by half the world writes the same bytes', () => {
  const field = fc.option(fc.string({ unit: fc.constantFrom(...'",;\r\n ab\'=é😀') }))
  const rows = fc.array(
    fc.tuple(
      field,
      field.filter((text) => text !== ''),
      field,
    ),
  )
  fc.assert(
    fc.property(rows, fc.constantFrom(',', ';'), (written, delimiter) => {
      // Ours also quotes the delimiter of the other kind of file, and each half of a line's end.
      const expected = stringify(
        written.map(([one, two, three]) => [one, two, three]),
        {
          delimiter,
          record_delimiter: '\r\n',
          quoted_match: /[,;\r\n]/,
          cast: {
            string: (value, { index }) => ({ value, quoted: index === 1 }),
          },
        },
      )
      assert.equal(csvLines(written, columns, delimiter), expected)
    }),
  )
})
