import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { seedTree } from './support/seeded-tree.ts'
import { SERVER } from './support/source-tree.ts'
import { readTree, tidyRules } from './support/tidy-rules.ts'

const tree = readTree(join(SERVER, '..'))

test('the rules see the whole repository', () => {
  assert.ok(tree.paths.length > 150, `${tree.paths.length} files`)
  for (const path of ['package.json', 'server/src/platform/clock.ts', 'server/architecture.ts']) {
    assert.ok(tree.paths.includes(path), path)
  }
  assert.ok(tree.sources.some(({ path }) => path.endsWith('.sql')))
})

for (const { name, advice, problems } of tidyRules) {
  test(name, () => {
    assert.deepEqual(problems(tree), [], advice)
  })
}

/** One violation of each rule; the rest of its tree is in order. */
const header = '-- why: w\n-- lock: l\n-- rollout: r\n'
const timeout = "set local lock_timeout = '3s';\n"
const first = 'server/migrations/0001_platform_foundation.sql'
const service = 'server/src/platform/x.ts'
const seeds: Record<string, Record<string, string>> = {
  'file names name something': { 'server/src/platform/payment.utils.ts': '' },
  'an index.ts is short': { 'server/src/modules/pay/index.ts': 'export {}\n'.repeat(31) },
  'a module has a README': { 'server/src/modules/pay/pay.ts': '' },
  'a command has its test beside it': {
    'server/src/modules/pay/pay-bills.ts': 'export const payBills: Command<Bill, Bill> = {}',
  },
  'a statement names tenant_id': {
    'server/src/modules/pay/x.ts': 'const x = sql`select 1 from payments.payments where id = $1`',
  },
  'migrations are numbered without a gap': { 'server/migrations/0002_platform_x.sql': '' },
  'a migration says why, what it locks and when it rolls out': { [first]: `-- why: w\n${timeout}` },
  'no float in a column': { [first]: `${header}${timeout}create table a (b double precision);` },
  'no sequence makes ids': { [first]: `${header}${timeout}create table a (b bigserial);` },
  'no NOTIFY': { [service]: "await client.query('listen payments')" },
  'no session advisory lock': { [service]: "await client.query('select pg_advisory_lock(1)')" },
  'clock, chance and settings are passed in': { [service]: 'export const at = new Date()' },
  'only the runner opens transactions': { [service]: "await client.query('begin')" },
  'a note to come back names its issue': { [service]: '// TODO: later' },
  'no test runs alone': { 'server/test/x.test.ts': "test.only('x')" },
  'Markdown has its places': { 'server/PLAN.md': '' },
  'files are small': { 'server/x.csv': 'x'.repeat(513 * 1024) },
}

test('a module has no service, but the whole program is one', (t) => {
  const [names] = tidyRules
  const root = seedTree(t, {
    'server/src/app/service.ts': '',
    'server/src/modules/pay/pay.service.ts': '',
    'server/src/modules/pay/self-service.ts': '',
  })
  assert.equal(names?.problems(readTree(root)).length, 2)
})

// In an empty tree no exception is needed, so each is one too many.
const EXCEPTIONS = 'an exception from tenant_id is needed'

for (const { name, problems } of tidyRules) {
  test(`seen when violated: ${name}`, (t) => {
    const seed = name === EXCEPTIONS ? {} : seeds[name]
    assert.ok(seed !== undefined, 'a new rule comes with a violation of it')
    const found = problems(readTree(seedTree(t, seed)))
    if (name === EXCEPTIONS) assert.ok(found.length > 1)
    else assert.equal(found.length, 1)
  })
}
