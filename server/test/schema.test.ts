import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { layers } from '../architecture.ts'
import { createTestDatabase } from './support/database.ts'
import { readMigrations, schemasOf } from './support/migration-files.ts'
import {
  deletable,
  indexesAcrossTenants,
  tablesOfTheInstall,
  writtenOnce,
} from './support/schema-exceptions.ts'
import { SERVER } from './support/source-tree.ts'
import { stateColumns } from './support/state-columns.ts'

const database = await createTestDatabase()
const owner = new pg.Client(database.connection)
await owner.connect()
after(async () => {
  await owner.end()
  await database.close()
})

const schemas = [...schemasOf(readMigrations())]

/** Rows about the schemas of our modules, whose names are `$1`. */
async function ask<Row>(text: string, ...more: unknown[]): Promise<Row[]> {
  const { rows } = await owner.query(text, [schemas, ...more])
  return rows as Row[]
}

async function names(text: string, ...more: unknown[]): Promise<string[]> {
  return (await ask<{ name: string }>(text, ...more)).map(({ name }) => name)
}

// Partitions repeat what their parent says.
const OURS = `
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = any($1) and c.relkind in ('r', 'p') and not c.relispartition`

test('the tables of every module are looked at', async () => {
  const tables = await names(`select c.oid::regclass::text as name ${OURS}`)
  assert.ok(tables.length >= 19, `${tables.length} tables`)
  for (const schema of schemas) assert.ok(tables.some((table) => table.startsWith(`${schema}.`)))
})

test('every table belongs to a tenant, but those of the install', async () => {
  const found = await names(
    `select c.oid::regclass::text as name ${OURS} and not exists (
       select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')`,
  )
  assert.deepEqual(found.toSorted(), Object.keys(tablesOfTheInstall).toSorted())
})

test('every index starts with tenant_id, but those that must find a row without it', async () => {
  const found = await names(
    `select i.indexrelid::regclass::text as name
       from pg_index i
       join pg_class c on c.oid = i.indrelid
       join pg_namespace n on n.oid = c.relnamespace
       left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where n.nspname = any($1) and not c.relispartition and a.attname is distinct from 'tenant_id'`,
  )
  assert.deepEqual(found.toSorted(), Object.keys(indexesAcrossTenants).toSorted())
})

test('foreign keys stay in their module or point down, and carry the tenant', async () => {
  const order: readonly string[] = Object.keys(layers)
  const keys = await ask<{ name: string; from: string; to: string; columns: string[] }>(
    `select f.conrelid::regclass::text || '.' || f.conname as name, n.nspname as from, tn.nspname as to,
            array(select a.attname::text from pg_attribute a
                   where a.attrelid = f.conrelid and a.attnum = any(f.conkey)) as columns
       from pg_constraint f
       join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_class t on t.oid = f.confrelid join pg_namespace tn on tn.oid = t.relnamespace
      where f.contype = 'f' and n.nspname = any($1)`,
  )
  assert.ok(keys.length > 5, `${keys.length} keys`)
  const upward = keys.filter(({ from, to }) => order.indexOf(to) > order.indexOf(from))
  assert.deepEqual(upward, [])
  assert.deepEqual(
    keys.filter(({ columns }) => !columns.includes('tenant_id')),
    [],
  )
})

test('columns are of types that keep money, time and order exact', async () => {
  const found = await names(
    `select c.oid::regclass::text || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) as name
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
        and (a.atttypid = any('{real,float8,money,timestamp,time,json}'::regtype[]) or a.attidentity <> '')`,
  )
  assert.deepEqual(found, [])
  const sequences = await names(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind = 'S'`,
  )
  assert.deepEqual(sequences, [])
})

for (const [column, states] of Object.entries(stateColumns)) {
  test(`${column} holds the states of its machine and no other`, async () => {
    const [, table = '', name = ''] = /^(.+)\.(\w+)$/.exec(column) ?? []
    const checks = await ask<{ definition: string }>(
      `select pg_get_constraintdef(k.oid) as definition
         from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
        where k.contype = 'c' and k.conrelid = $2::regclass and a.attname = $3
          and k.connamespace = any(select oid from pg_namespace where nspname = any($1))`,
      table,
      name,
    )
    const listed = checks.map(({ definition }) =>
      [...definition.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? ''),
    )
    assert.deepEqual(
      listed.map((values) => values.toSorted()),
      [states.toSorted()],
    )
  })
}

test('every state machine says which column it rules', async () => {
  const listed = new Set(Object.values(stateColumns))
  const files = globSync('src/modules/**/*.states.ts', { cwd: SERVER })
  assert.ok(files.length > 0)
  for (const file of files) {
    const exported = (await import(join(SERVER, file))) as Record<string, unknown>
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value !== 'object' || value === null || !('transitions' in value)) continue
      const { states } = value as unknown as { states: readonly string[] }
      assert.ok(listed.has(states), `add ${name} to test/support/state-columns.ts`)
    }
  }
})

async function tablesGranting(privilege: string): Promise<string[]> {
  // Of a column counts too; DELETE and TRUNCATE exist for tables only.
  const check = ['DELETE', 'TRUNCATE', 'TRIGGER'].includes(privilege)
    ? 'has_table_privilege'
    : 'has_any_column_privilege'
  return await names(
    `select c.oid::regclass::text as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind in ('r', 'p')
        and ${check}('countinghouse_app', c.oid, '${privilege}')`,
  )
}

test('the service may not change what is written once, in any partition', async () => {
  const partitions = await names(
    `select inhrelid::regclass::text as name from pg_inherits
      where inhparent = any($2::regclass[]) and $1::text[] is not null`,
    writtenOnce,
  )
  assert.ok(partitions.length > 8, `${partitions.length} partitions`)
  const guarded = new Set([...writtenOnce, ...partitions])
  for (const privilege of ['UPDATE', 'DELETE', 'TRUNCATE']) {
    const granted = await tablesGranting(privilege)
    assert.deepEqual(
      granted.filter((table) => guarded.has(table)),
      [],
      privilege,
    )
  }
})

test('the service deletes only what has expired, and truncates nothing', async () => {
  assert.deepEqual((await tablesGranting('DELETE')).toSorted(), Object.keys(deletable).toSorted())
  assert.deepEqual(await tablesGranting('TRUNCATE'), [])
  assert.deepEqual(await tablesGranting('TRIGGER'), [])
  assert.ok(
    (await tablesGranting('UPDATE')).includes('payments.payments'),
    'the question finds something',
  )
})

test('the role of the service owns nothing and creates nothing', async () => {
  const [role] = await ask<Record<string, boolean>>(
    `select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication, rolcanlogin
       from pg_roles where rolname = 'countinghouse_app' and $1::text[] is not null`,
  )
  assert.deepEqual([...new Set(Object.values(role ?? {}))], [false])
  const owned = await names(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and pg_get_userbyid(c.relowner) = 'countinghouse_app'`,
  )
  assert.deepEqual(owned, [])
  const creatable = await names(
    `select nspname as name from pg_namespace
      where nspname = any($1) and has_schema_privilege('countinghouse_app', oid, 'CREATE')`,
  )
  assert.deepEqual(creatable, [])
})
