import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLogger } from './logger.ts'

test('a log line keeps secrets and card data to itself, and is for its owner to read', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countinghouse-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'server.log')
  const log = openLogger({ file, verbose: false })
  log.error(
    {
      request_id: 'req_1',
      headers: { authorization: 'Bearer abc' },
      body: { card: { number: '4242424242424242', cvc: '123' } },
      client_secret: 'chs_sandbox_x',
    },
    'request failed',
  )
  const text = readFileSync(file, 'utf8')
  assert.match(text, /"request_id":"req_1".*"msg":"request failed"/)
  for (const secret of ['abc', '4242', '"123"', 'chs_']) assert.ok(!text.includes(secret), secret)
  assert.equal(statSync(file).mode & 0o777, 0o600)
})
