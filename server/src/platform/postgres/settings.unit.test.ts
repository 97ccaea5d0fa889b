import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingsFile, tunedSettings } from './settings.ts'

const GB = 1024 ** 3

test('shared buffers are 15 % of the memory and at most 1 GB', () => {
  assert.equal(tunedSettings(2 * GB)['shared_buffers'], '307MB')
  assert.equal(tunedSettings(64 * GB)['shared_buffers'], '1024MB')
  assert.equal(tunedSettings(GB / 8)['shared_buffers'], '32MB')
})

test('a value with a quote stays one value', () => {
  assert.match(settingsFile({ log_line_prefix: "it's %m" }), /^log_line_prefix = 'it''s %m'$/m)
})
