import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Report } from './report.ts'

const BENCH = join(import.meta.dirname, 'bench.ts')
// Too short to say anything about speed; long enough that every kind of load has run.
const SHORT =
  '--only book-64,naive,bulk-100,card-64 --accounts 500 --rounds 1 --seconds 2 --warmup 0.2'

test('a run measures each kind of load and finds every promise kept', async (t) => {
  const out = await mkdtemp(join(tmpdir(), 'countinghouse-report-'))
  t.after(() => rm(out, { recursive: true, force: true }))
  const args = [BENCH, ...SHORT.split(' '), '--out', out]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 })
  const report = JSON.parse(await readFile(join(out, 'bench-report.json'), 'utf8')) as Report
  assert.deepEqual(
    report.verdicts.filter(({ violations }) => violations > 0),
    [],
  )
  assert.equal(report.environment.settings['fsync'], 'on')
  const rates = new Map(report.standings.map((one) => [one.case, one.unitsPerSecond]))
  assert.deepEqual([...rates.keys()], ['book-64', 'naive', 'bulk-100', 'card-64'])
  for (const [name, rate] of rates) assert.ok(rate > 0, name)
  assert.match(stdout, /promises hold/)
})
