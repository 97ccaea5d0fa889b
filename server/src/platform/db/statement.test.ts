import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type TestDatabase, createTestDatabase } from '../../../test/support/database.ts'
import { databaseOver } from './dialect.ts'
import { type Parameter, expectCount, statement } from './statement.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(() => database.close())

/** Sends a set as `type[]` and reads it back as the database shows it. */
async function echo(type: string, values: readonly unknown[]): Promise<(string | null)[]> {
  const shown = type === 'timestamptz' ? `(extract(epoch from v) * 1000)::bigint::text` : 'v::text'
  const select = statement<{ shown: string | null }>(
    `select ${shown} as shown from unnest($1::${type}[]) with ordinality as u (v, o) order by o`,
  )
  const { rows } = await select(databaseOver(database.pools.read), values as Parameter)
  return rows.map((row) => row.shown)
}

const nullable = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.array(fc.option(arbitrary))
const text = fc.string({ unit: 'grapheme' }).filter((one) => !one.includes('\0'))

// oxfmt-ignore
const types: readonly (readonly [string, fc.Arbitrary<unknown>, (value: never) => string])[] = [
  ['uuid',        fc.uuid(),                                         (value: string) => value],
  ['bigint',      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value: bigint) => `${value}`],
  ['int',         fc.integer(),                                      (value: number) => `${value}`],
  ['smallint',    fc.integer({ min: -32_768, max: 32_767 }),         (value: number) => `${value}`],
  ['bool',        fc.boolean(),                                      (value: boolean) => `${value}`],
  ['text',        text,                                              (value: string) => value],
  ['date',        day(),                                             (value: string) => value],
  ['timestamptz', fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true }), (value: Date) => `${value.getTime()}`],
  ['bytea',       fc.stringMatching(/^([0-9a-f]{2}){0,40}$/),        (value: string) => `\\x${value}`],
]

for (const [type, arbitrary, shown] of types) {
  test(`${type}[] arrives as it was sent, nulls and all`, async () => {
    const property = fc.asyncProperty(nullable(arbitrary), async (values) => {
      const expected = values.map((value) => (value === null ? null : shown(value as never)))
      assert.deepEqual(await echo(type, values), expected)
    })
    await fc.assert(property, { numRuns: 30 })
  })
}

test('jsonb[] takes objects and JSON as text', async () => {
  const values = [{ a: 1, 'é"\\\n': [null, true] }, null, '{"b":2}']
  const back = await echo('jsonb', values)
  assert.deepEqual(
    back.map((one) => (one === null ? null : JSON.parse(one))),
    [values[0], null, { b: 2 }],
  )
})

test('a set larger than the scratch buffer is sent whole', async () => {
  const values = Array.from({ length: 2_000 }, (_, index) => 'ä'.repeat(index % 300))
  assert.deepEqual(await echo('text', values), values)
})

test('what is no uuid is refused before it is sent', async () => {
  for (const wrong of ['nonsense', 'g1a20654-315d-7dab-90b1-f7cdc8b416ab']) {
    await assert.rejects(echo('uuid', [wrong]), /not a uuid/)
  }
})

test('a write that touched another number of rows than locked is an error', () => {
  expectCount('rows', { count: 2 }, 2)
  assert.throws(() => expectCount('rows', { count: 1 }, 2), /rows: 2 rows expected, 1 touched/)
})

function day(): fc.Arbitrary<string> {
  const range = { min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }
  return fc.date(range).map((date) => date.toISOString().slice(0, 10))
}
