import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stopLeftServer } from '../../src/platform/postgres/stop-server.ts'
import { startAlteringProxy } from '../support/altering-proxy.ts'
import { isFree } from '../support/free-port.ts'
import { launch } from '../support/launch.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
before(async () => (service = await startServiceForTests()))
after(() => service.close())

const TITLES = [
  'Get a token by client_credentials',
  'Open an account for a shop and one for a supplier',
  'Take a card payment for the shop',
  'Ask until the card payment is completed',
  'Refund a part of it',
  'Refund the rest',
  'See a card declined',
  'Authorize a card and capture it in two parts',
  'Move money from the shop to the supplier',
  'Repeat that request under its key',
  'List what was booked for the shop',
  'Find the transfer by what is known of it',
  'Export what was booked for the shop as CSV',
  'Draw up a trial balance',
]

test('where no server runs the demo starts one, shows each step and leaves nothing behind', async (t) => {
  const { env, left } = givenTemporaryFolder(t)
  // Settings of the person who tries it must not reach the server that is thrown away.
  const foreign = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', COUNTINGHOUSE_PORT: '1' }
  const run = launch(t, ['demo', '--data', join(env.TMPDIR, 'none')], { ...env, ...foreign })
  assert.equal(await run.exited, 0, `${run.stdout()}\n${run.stderr()}`)
  const text = run.stdout()
  const titles = [...text.matchAll(/^ ?\d+\. (.*)$/gm)].map((match) => match[1])
  assert.deepEqual(titles, TITLES)
  assert.match(text, /^\d+ steps, \d+ checks, all passed in [\d.]+ s$/m)
  assert.match(text, /"access_token":"\(not shown\)"/)
  assert.ok(!text.includes('\u001b') && !text.includes('FAILED'))
  assert.deepEqual(left(), [])
})

test('the banking tale walks from sign-in to revocation, on a server of its own', async (t) => {
  const { env, left } = givenTemporaryFolder(t)
  // The server that runs there is not asked: its tokens live too long to be waited for.
  const dataDir = givenCredentials(t, service.baseUrl)
  const run = launch(t, ['demo', 'banking', '--json', '--data', dataDir], env)
  assert.equal(await run.exited, 0, `${run.stdout()}\n${run.stderr()}`)
  const titles = stepsOf(run.stdout()).map(({ title }) => title)
  assert.equal(titles.length, 13)
  assert.deepEqual(
    [titles[0], titles.at(-1)],
    ['Send a customer to the bank to sign in', 'See everything revoked'],
  )
  assert.deepEqual(left(), [])
})

test('on a server that runs it can be repeated, a JSON line per step', async (t) => {
  const dataDir = givenCredentials(t, service.baseUrl)
  for (const round of ['first', 'second']) {
    const run = launch(t, ['demo', '--json', '--data', dataDir])
    assert.equal(await run.exited, 0, `${round}: ${run.stdout()}\n${run.stderr()}`)
    const steps = stepsOf(run.stdout())
    assert.deepEqual(
      steps.map(({ title }) => title),
      TITLES,
    )
    assert.ok(steps.every(({ ok, checks }) => ok && checks.length > 0))
  }
})

test('a refund that leaves the payment in a wrong status fails the demo', async (t) => {
  const proxy = await startAlteringProxy(t, service.baseUrl, ({ method, path }, text) =>
    method === 'GET' && path.startsWith('/payments/')
      ? text.replace('"status":"refunded"', '"status":"completed"')
      : text,
  )
  const run = launch(t, ['demo', '--data', givenCredentials(t, proxy)])
  assert.equal(await run.exited, 1)
  assert.match(run.stdout(), /FAILED {2}status: expected "refunded", actual "completed"\n$/)
  assert.match(run.stderr(), /The demo has failed/)
})

test('a server that breaks off fails the demo with the step and the reason', async (t) => {
  const proxy = await startAlteringProxy(t, service.baseUrl, ({ method, path }, text) => {
    if (method === 'POST' && path.endsWith('/capture')) throw new Error('cut')
    return text
  })
  const run = launch(t, ['demo', '--json', '--data', givenCredentials(t, proxy)])
  assert.equal(await run.exited, 1)
  const last = stepsOf(run.stdout()).at(-1)
  assert.deepEqual([last?.title, last?.ok], ['Authorize a card and capture it in two parts', false])
  assert.match(last?.error ?? '', /^fetch failed: /)
})

test('Ctrl-C while the server starts ends both', async (t) => {
  const { env, left } = givenTemporaryFolder(t)
  const run = launch(t, ['demo', '--data', join(env.TMPDIR, 'none')], env)
  await run.sees('starting one')
  await until(() => left().length > 0)
  run.child.kill('SIGINT')
  assert.equal(await run.exited, 1)
  assert.match(run.stderr(), /Stopped by SIGINT/)
  assert.deepEqual(left(), [])
})

test('a demo that is killed takes its server along', async (t) => {
  const { env } = givenTemporaryFolder(t)
  const run = launch(t, ['demo', '--data', join(env.TMPDIR, 'none')], env)
  await run.sees('Server http')
  const port = Number(/Server http:\/\/127\.0\.0\.1:(\d+)/.exec(run.stdout())?.[1])
  run.child.kill('SIGKILL')
  await until(async () => (await isFree(port)) && (await isFree(port + 1)))
})

interface StepLine {
  readonly title: string
  readonly ok: boolean
  readonly checks: readonly unknown[]
  readonly error?: string
}

function stepsOf(text: string): StepLine[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StepLine)
}

/** A data directory whose credentials are those of the service, reached at `baseUrl`. */
function givenCredentials(t: TestContext, baseUrl: string): string {
  const { env } = givenTemporaryFolder(t)
  const credentials = { ...service.credentials, base_url: baseUrl }
  writeFileSync(join(env.TMPDIR, 'credentials.json'), JSON.stringify(credentials))
  return env.TMPDIR
}

/** Where the demo puts what it throws away; `left` tells what is there. */
function givenTemporaryFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'countinghouse-demo-test-'))
  const left = () => readdirSync(folder).filter((name) => name.startsWith('countinghouse-'))
  t.after(async () => {
    for (const name of left()) await stopLeftServer(join(folder, name, 'pg'))
    await rm(folder, { recursive: true, force: true, maxRetries: 20 })
  })
  return { env: { TMPDIR: folder }, left }
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await isTrue())) {
    assert.ok(performance.now() < deadline, 'it did not come true within 60 s')
    await sleep(50)
  }
}
