import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { exceptions, layers } from '../architecture.ts'
import { type Boundaries, checkBoundaries } from './support/boundaries.ts'
import { readMigrations, schemasOf } from './support/migration-files.ts'
import { seedSources } from './support/seeded-tree.ts'
import { SERVER, readSources } from './support/source-tree.ts'

const boundaries: Boundaries = { layers, exceptions, schemas: schemasOf(readMigrations()) }
const files = readSources(join(SERVER, 'src'))
const findings = checkBoundaries(files, boundaries)

test('the checker sees the files, the imports and the tables', () => {
  assert.ok(files.length > 100, `${files.length} files`)
  assert.ok(findings.imports > 3 * files.length, `${findings.imports} imports`)
  for (const table of ['ledger.entries', 'payments.payments', 'identity.clients']) {
    assert.ok(findings.tables.has(table), `${table} is named nowhere`)
  }
})

test('imports go down the list to an index, tables belong to their module, nothing is circular', () => {
  assert.deepEqual(findings.problems, [])
})

test('every declared edge is used, but those of app, which knows everybody', () => {
  const declared = Object.entries(layers)
    .filter(([layer]) => layer !== 'app')
    .flatMap(([layer, lower]) => lower.map((name) => `${layer} -> ${name}`))
  const unused = declared.filter((edge) => !findings.edges.has(edge))
  assert.deepEqual(unused, [], 'remove these edges from architecture.ts')
})

// The seeded tree: two modules, `pay` above `book`, that obey every rule.
const sound = {
  'platform/clock.ts': `export const clock = 1`,
  'modules/book/index.ts': `export { post } from './post.ts'`,
  'modules/book/post.ts': `import { clock } from '../../platform/clock.ts'\nexport const post = () => sql\`insert into book.entries\` + clock`,
  'modules/pay/index.ts': `import { post } from '../book/index.ts'\nexport const pay = () => post(db.selectFrom('pay.payments'))`,
}
const seeded: Boundaries = {
  layers: { platform: [], book: [], pay: ['book'] },
  exceptions: [],
  schemas: new Set(['book', 'pay']),
}

test('a tree that obeys the rules has no problem', (t) => {
  const found = checkBoundaries(seedSources(t, sound), seeded)
  assert.deepEqual(found.problems, [])
  assert.deepEqual([...found.tables].toSorted(), ['book.entries', 'pay.payments'])
})

const violations: [what: string, tree: Record<string, string>, problem: RegExp][] = [
  [
    'an upward import',
    { 'modules/book/lock.ts': `import { pay } from '../pay/index.ts'` },
    /^modules\/book\/lock\.ts:1: book may not import pay: /,
  ],
  [
    'an upward import by a dynamic import()',
    { 'modules/book/lock.ts': `export const later = () => import('../pay/index.ts')` },
    /^modules\/book\/lock\.ts:1: book may not import pay: /,
  ],
  [
    'an import past the index',
    { 'modules/pay/capture.ts': `\nimport { post } from '../book/post.ts'` },
    /^modules\/pay\/capture\.ts:2: imports modules\/book\/post\.ts: other layers see/,
  ],
  [
    'a platform that knows a module',
    { 'platform/db.ts': `import type { post } from '../modules/book/index.ts'` },
    /^platform\/db\.ts:1: platform may not import book: /,
  ],
  [
    'an import of a file that is gone',
    { 'modules/pay/capture.ts': `import { x } from './gone.ts'` },
    /imports modules\/pay\/gone\.ts, which does not exist$/,
  ],
  [
    'a folder outside every layer',
    { 'extras/x.ts': `export const x = 1` },
    /^extras\/x\.ts: in no layer/,
  ],
  [
    'a foreign table in a builder',
    {
      'modules/pay/read.ts': `export const read = () => db.selectFrom(['pay.payments', 'x']).innerJoin('book.entries', 'a', 'b')`,
    },
    /^modules\/pay\/read\.ts:1: names book\.entries: /,
  ],
  [
    'a foreign table in a sql tag',
    { 'modules/book/read.ts': 'export const read = () => sql`\n  update pay.payments set x = 1`' },
    /^modules\/book\/read\.ts:2: names pay\.payments: /,
  ],
  [
    'a cycle of imports',
    {
      'modules/pay/a.ts': `import { b } from './b.ts'\nexport const a = 1`,
      'modules/pay/b.ts': `import type { a } from './a.ts'\nexport const b = 1`,
    },
    /^import cycle: modules\/pay\/a\.ts -> modules\/pay\/b\.ts -> modules\/pay\/a\.ts$/,
  ],
]
for (const [what, tree, problem] of violations) {
  test(`${what} is found`, (t) => {
    const { problems } = checkBoundaries(seedSources(t, { ...sound, ...tree }), seeded)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', problem)
  })
}

test('an edge that points up the list is found', (t) => {
  const rules = { ...seeded, layers: { platform: [], book: ['pay'], pay: ['book'] } }
  const { problems } = checkBoundaries(seedSources(t, sound), rules)
  assert.deepEqual(problems, ['architecture.ts: book names pay, which does not stand above it'])
})
