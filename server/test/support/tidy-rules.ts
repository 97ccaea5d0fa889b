import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { hasHeader, misnumbered } from './migration-files.ts'
import { type SourceFile, listFiles, readSources } from './source-tree.ts'
import { statementsWithoutTenant, unneededExceptions } from './tenant-rule.ts'
import { lineRule } from './tidy-line.ts'

/** The repository as the rules see it. Paths are relative to its root. */
export interface Tree {
  readonly root: string
  readonly paths: readonly string[]
  readonly sources: readonly SourceFile[]
}

/** When a review says the same thing twice, it becomes a rule here. */
export interface TidyRule {
  readonly name: string
  /** What to do instead. */
  readonly advice: string
  readonly problems: (tree: Tree) => readonly string[]
}

export function readTree(root: string): Tree {
  return { root, paths: listFiles(root), sources: readSources(root) }
}

const NAMELESS = new Set(
  'helper helpers util utils common misc manager base impl controller repository'.split(' '),
)
// The service is the whole program. Within a module the word names a heap of verbs.
const SERVICE = /^server\/src\/(?:modules|platform)\/.*\bservices?\b[^/]*$/
const MAX_INDEX_LINES = 30
const MAX_FILE_BYTES = 512 * 1024
const API_DOCUMENT = 'openapi.json' // grows with every route; made by `npm run generate`, on short lines for diffs
const MARKDOWN = /^(?:.*\/)?(?:README|ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md$|^docs\//
const MODULE = /^server\/src\/(?:modules\/(?:lending\/)?[^/]+|sandbox-gateway)\//
const MIGRATION = /^server\/migrations\//
const MACHINE = /^server\/src\/platform\/(?:clock\.ts|ids\.ts|config\/)/

const isTest = (path: string) => path.endsWith('.test.ts')
const isService = (path: string) => path.startsWith('server/src/') && !isTest(path)
const isSqlOrService = (path: string) => MIGRATION.test(path) || isService(path)

export const tidyRules: readonly TidyRule[] = [
  {
    name: 'file names name something',
    advice: 'name the file for what it does: payment.utils.ts becomes rounding.ts',
    problems: ({ paths }) =>
      paths.filter((path) => {
        const words = basename(path).split(/[-.]/)
        return SERVICE.test(path) || words.some((word) => NAMELESS.has(word))
      }),
  },
  {
    name: 'an index.ts is short',
    advice: `at most ${MAX_INDEX_LINES} lines: what is not for others stays out of it`,
    problems: ({ sources }) =>
      pathsOf(
        sources.filter(
          ({ path, text }) =>
            MODULE.test(path) &&
            basename(path) === 'index.ts' &&
            text.trimEnd().split('\n').length > MAX_INDEX_LINES,
        ),
      ),
  },
  {
    name: 'a module has a README',
    advice: 'one page: nouns, states, invariants, events in and out, tables, what it does not do',
    problems: ({ paths }) =>
      [...new Set(paths.flatMap((path) => MODULE.exec(path)?.[0] ?? []))]
        .map((folder) => `${folder}README.md`)
        .filter((readme) => !paths.includes(readme)),
  },
  {
    name: 'a command has its test beside it',
    advice: 'write it: alone, refused beside accepted, twice on one object, another tenant',
    problems: ({ paths, sources }) =>
      pathsOf(sources.filter((file) => MODULE.test(file.path) && isCommand(file)))
        .map((path) => path.replace(/\.ts$/, '.test.ts'))
        .filter((twin) => !paths.includes(twin)),
  },
  {
    name: 'a statement names tenant_id',
    advice: 'match on tenant_id, or list the statement with its reason in tenant-rule.ts',
    problems: ({ sources }) =>
      sources.filter(({ path }) => isService(path)).flatMap(statementsWithoutTenant),
  },
  {
    name: 'an exception from tenant_id is needed',
    advice: 'remove it from tenant-rule.ts',
    problems: ({ sources }) => unneededExceptions(sources.filter(({ path }) => isService(path))),
  },
  {
    name: 'migrations are numbered without a gap',
    advice: 'NNNN_module_what.sql with the next free number: two files never share one',
    problems: ({ paths }) =>
      misnumbered(paths.filter((path) => MIGRATION.test(path)).map((path) => basename(path))),
  },
  {
    name: 'a migration says why, what it locks and when it rolls out',
    advice: 'begin with `-- why:`, `-- lock:`, `-- rollout:`, then `set local lock_timeout`',
    problems: ({ sources }) =>
      pathsOf(sources.filter(({ path, text }) => MIGRATION.test(path) && !hasHeader(text))),
  },
  lineRule({
    name: 'no float in a column',
    advice: 'bigint minor units for money, numeric for rates',
    within: (path) => MIGRATION.test(path),
    pattern: /\b(?:real|double precision|float[48]?|money)\b(?! )/i,
  }),
  lineRule({
    name: 'no sequence makes ids',
    advice: 'ids are uuid v7 made in the app: a sequence is one hot spot and cannot be sharded',
    within: isSqlOrService,
    pattern: /\b(?:(?:big|small)?serial|nextval|setval|create sequence|as identity)\b/i,
  }),
  lineRule({
    name: 'no NOTIFY',
    advice: 'write an event: NOTIFY takes one lock for the whole server at COMMIT',
    within: isSqlOrService,
    pattern: /\bpg_notify\b|['"`]\s*(?:un)?(?:listen|notify)\s+[a-z_"$]/i,
  }),
  lineRule({
    name: 'no session advisory lock',
    advice: 'lock rows: a session lock outlives its transaction and does not work behind a pooler',
    within: isSqlOrService,
    except: {
      'server/src/platform/jobs/install-jobs.ts': 'installs tables, on a connection of its own',
    },
    pattern: /\bpg_(?:try_)?advisory_lock/i,
  }),
  lineRule({
    name: 'clock, chance and settings are passed in',
    advice: 'read request.at, a Clock, newId or the config: tests own what is passed in',
    within: (path) => isService(path) && !MACHINE.test(path),
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|\bprocess\.env\b/,
  }),
  lineRule({
    name: 'only the runner opens transactions',
    advice: 'use inTransaction or inSnapshot: they know whether COMMIT was heard',
    within: (path) => isService(path) && path !== 'server/src/platform/db/transaction.ts',
    pattern: /['"`]\s*(?:begin|commit|rollback|start transaction)\b\s*(?:['"`;]|isolation)/i,
  }),
  lineRule({
    name: 'a note to come back names its issue',
    advice: 'give it the number of an issue, or do it now',
    within: () => true,
    except: {
      'server/test/support/tidy-rules.ts': 'the rule',
      'server/test/tidy.test.ts': 'its proof',
    },
    pattern: /\b(?:TODO(?!\(#\d+\))|FIXME|HACK)\b/,
    comments: true,
  }),
  lineRule({
    name: 'no test runs alone',
    advice: 'remove it: it silences every other test of the file',
    within: isTest,
    except: { 'server/test/tidy.test.ts': 'the proof of this rule' },
    pattern: /\b(?:test|it|describe|suite)\.only\(|\bonly: true\b/,
  }),
  {
    name: 'Markdown has its places',
    advice: 'README, ARCHITECTURE, CONTRIBUTING, CHANGELOG or docs/: notes do not live in the tree',
    problems: ({ paths }) => paths.filter((path) => path.endsWith('.md') && !MARKDOWN.test(path)),
  },
  {
    name: 'files are small',
    advice: `at most ${MAX_FILE_BYTES / 1024} KB: generate it, fetch it or cut it down`,
    problems: ({ root, paths }) =>
      paths.filter(
        (path) => path !== API_DOCUMENT && statSync(join(root, path)).size > MAX_FILE_BYTES,
      ),
  },
]

function pathsOf(files: readonly SourceFile[]): string[] {
  return files.map(({ path }) => path)
}

// A file named for its verb that exports a Command, or a function of that name over a transaction.
function isCommand({ path, code }: SourceFile): boolean {
  const name = basename(path, '.ts').replaceAll(/-(\w)/g, (_, letter: string) =>
    letter.toUpperCase(),
  )
  const definition = new RegExp(
    `export const ${name}: Command<|export async function ${name}\\(\\s*tx\\b`,
  )
  return !/^(?:lock|find|list|get|claim)[A-Z]/.test(name) && definition.test(code)
}
