import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { type EventData, run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { globalSetup, globalTeardown } from './support/global-setup.ts'
import { unitFilesToEnv } from './support/unit-files.ts'

/**
 * `npm test` runs everything, `npm run test:file -- PATH…` some files (or globs). Pure tests
 * (`*.unit.test.ts`) share one process; every other file has its own, and a database of its own in a
 * PostgreSQL that is started for the run. Ends with a line `N passed, N failed`.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EVERYTHING = ['server/src/**/*.test.ts', 'server/test/**/*.test.ts']
const PROCESSES = 2 // One wastes the wait for the disk; more make tests about time fail on two cores.
const TIMEOUT_MS = 120_000 // Of one test; a file's is in file-limit.ts. The default is to wait for ever.

const patterns = process.argv.slice(2)
const files = patterns.length === 0 ? find(EVERYTHING, ROOT) : find(patterns, startedIn())
const unitFiles = files.filter((file) => file.endsWith('.unit.test.ts'))
const otherFiles = files.filter((file) => !file.endsWith('.unit.test.ts'))

forgetSettings()
const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())

try {
  if (otherFiles.length > 0) await globalSetup()
  report(await runFiles())
} finally {
  await globalTeardown()
}

function find(wanted: readonly string[], cwd: string): string[] {
  const found = wanted.flatMap((pattern) =>
    globSync(pattern, { cwd }).map((path) => resolve(cwd, path)),
  )
  return [...new Set(found)].toSorted()
}

// npm changes to the workspace's root; paths are meant from where the command was typed.
function startedIn(): string {
  return process.env['INIT_CWD'] ?? process.cwd()
}

// The settings of whoever runs the tests must not reach them, least of all a real database.
function forgetSettings(): void {
  for (const name of Object.keys(process.env)) {
    const ours = name === 'DATABASE_URL' || name.startsWith('COUNTINGHOUSE_')
    if (ours && !name.startsWith('COUNTINGHOUSE_TEST_')) delete process.env[name]
  }
}

async function runFiles(): Promise<EventData.TestSummary | undefined> {
  let total: EventData.TestSummary | undefined
  unitFilesToEnv(unitFiles)
  const entry = resolve(import.meta.dirname, 'support/unit-files.ts')
  const stream = run({
    files: unitFiles.length > 0 ? [entry, ...otherFiles] : otherFiles,
    cwd: ROOT,
    concurrency: PROCESSES,
    timeout: TIMEOUT_MS,
    execArgv: ['--import', resolve(import.meta.dirname, 'support/file-limit.ts')],
    signal: stopped.signal,
  })
  // A summary without a file is the one over all files.
  stream.on('test:summary', (summary) => {
    if (summary.file === undefined) total = summary
  })
  for await (const text of stream.compose(spec)) process.stdout.write(text)
  return total
}

function report(total: EventData.TestSummary | undefined): void {
  if (files.length === 0)
    console.log(`No test file matches ${patterns.join(' ')} in ${startedIn()}.`)
  const { tests = 0, passed = 0, skipped = 0, todo = 0 } = total?.counts ?? {}
  const left = skipped + todo
  // A failing hook fails its suite, which counts as no test.
  const failed = Math.max(tests - passed - left, total?.success === true ? 0 : 1)
  console.log(`${passed} passed, ${failed} failed${left > 0 ? `, ${left} skipped` : ''}`)
  process.exitCode = failed === 0 && passed > 0 && !stopped.signal.aborted ? 0 : 1
}
