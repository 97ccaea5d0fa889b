import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { summariseProfile } from './cpu-profile.ts'

const frame = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
})

test('shares are of busy time, and only of the time that was measured', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countinghouse-profile-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a.cpuprofile')
  const profile = {
    startTime: 1_000,
    nodes: [
      frame(1, '(idle)', ''),
      frame(2, 'decide', 'file:///srv/server/src/modules/ledger/decide.ts'),
      frame(3, 'parseRow', 'file:///srv/node_modules/pg/lib/result.js'),
    ],
    samples: [3, 2, 2, 1, 3, 3],
    timeDeltas: [100, 100, 200, 300, 100, 9_000],
  }
  writeFileSync(path, JSON.stringify(profile))
  const text = summariseProfile(path, [[1_150, 1_900]], '/srv/')
  // Samples end at 1100, 1200, 1400, 1700, 1800 and 10800: the first and the last do not count.
  assert.match(text, /^busy 0\.0 s of 0\.0 s \(57 %\)/)
  assert.match(text, /75\.0 {2}decide {2}server\/src\/modules\/ledger\/decide\.ts:10/)
  assert.match(text, /25\.0 {2}pg$/m)
})
