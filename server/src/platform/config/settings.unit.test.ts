import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Flags, SettingError, readSettings } from './settings.ts'

const read = (env: Record<string, string> = {}, flags: Flags = {}) =>
  readSettings(flags, { env, directory: '/somewhere' })

test('without any setting the service is on this machine, with a database of its own', () => {
  assert.deepEqual(read(), {
    port: 4000,
    gatewayPort: 4010,
    dataDir: '/somewhere/.countinghouse',
    databaseUrl: undefined,
    issuer: 'http://127.0.0.1:4000',
    rootKey: undefined,
    accessTokenSeconds: 900,
    egressAllow: [],
    verbose: false,
    json: false,
    mayHoldSamples: true,
  })
})

test('a flag wins over its variable, and issuer and gateway follow the port', () => {
  const settings = read({ COUNTINGHOUSE_PORT: '5000', COUNTINGHOUSE_DATA: 'x' }, { port: '6000' })
  assert.equal(settings.port, 6000)
  assert.equal(settings.gatewayPort, 6010)
  assert.equal(settings.issuer, 'http://127.0.0.1:6000')
  assert.equal(settings.dataDir, '/somewhere/x')
})

test('an empty variable is as good as none', () => {
  assert.equal(read({ COUNTINGHOUSE_PORT: '', DATABASE_URL: ' ' }).databaseUrl, undefined)
})

test('samples are for loopback issuers outside production only', () => {
  assert.equal(read({ COUNTINGHOUSE_ISSUER: 'http://localhost:9/' }).mayHoldSamples, true)
  assert.equal(read({ COUNTINGHOUSE_ISSUER: 'https://pay.example.com' }).mayHoldSamples, false)
  assert.equal(read({ NODE_ENV: 'production' }).mayHoldSamples, false)
})

test('a value that cannot be used is refused by the name of its setting', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ COUNTINGHOUSE_PORT: 'abc' }, /^COUNTINGHOUSE_PORT is "abc": a port is/],
    [{ COUNTINGHOUSE_PORT: '0' }, /^COUNTINGHOUSE_PORT is "0"/],
    [{ COUNTINGHOUSE_PORT: '65530' }, /^COUNTINGHOUSE_GATEWAY_PORT is needed/],
    [{ COUNTINGHOUSE_GATEWAY_PORT: '4000' }, /^COUNTINGHOUSE_GATEWAY_PORT is 4000/],
    [{ COUNTINGHOUSE_ISSUER: 'pay.example.com' }, /^COUNTINGHOUSE_ISSUER .* an origin/],
    [
      { COUNTINGHOUSE_ISSUER: 'https://a.example/x' },
      /leave only the origin, https:\/\/a.example$/,
    ],
    [{ COUNTINGHOUSE_ISSUER: 'http://a.example' }, /must be https/],
    [{ COUNTINGHOUSE_ACCESS_TOKEN_SECONDS: '901' }, /^COUNTINGHOUSE_ACCESS_TOKEN_SECONDS is "901"/],
    [{ COUNTINGHOUSE_VERBOSE: 'maybe' }, /^COUNTINGHOUSE_VERBOSE is "maybe"/],
  ]
  for (const [env, message] of refused) {
    assert.throws(
      () => read(env),
      (error) => error instanceof SettingError && message.test(error.message),
      JSON.stringify(env),
    )
  }
  assert.throws(() => read({}, { port: '-1' }), /^SettingError: --port is "-1"/)
  assert.throws(() => read({}, { data: '' }), /--data is empty/)
})

test('a wrong database URL is refused without repeating its password', () => {
  assert.throws(
    () => read({ DATABASE_URL: 'mysql://me:hunter2@db/x' }),
    (error: Error) => error.message.includes('DATABASE_URL') && !error.message.includes('hunter2'),
  )
})
