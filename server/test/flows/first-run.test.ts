import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Credentials } from '../../src/app/credentials.ts'
import { supervisorOf } from '../../src/platform/postgres/index.ts'
import { cookieBrowser } from '../support/cookie-browser.ts'
import { givenDataDirectory } from '../support/data-directory.ts'
import { freePort, isFree } from '../support/free-port.ts'
import { type Launched, launch } from '../support/launch.ts'
import { credentialsIn, pay, paymentStatus, tokenFrom } from '../support/sandbox-client.ts'
import { testClusterFromEnv } from '../support/test-cluster-env.ts'

const READY = 'ready in'

test('from an empty directory to a payment by two pasted lines, and an orderly end', async (t) => {
  const { dataDir, port, started } = await givenPlace(t)
  const run = started()
  const ms = await run.sees(READY)
  t.diagnostic(`first start: ready after ${ms.toFixed(0)} ms`)

  const credentials = credentialsIn(dataDir)
  const text = run.stdout()
  assert.ok(text.split('\n').length <= 20, text)
  assert.ok(text.split('\n').every((line) => !line.includes('\u001b')))
  for (const secret of secretsOf(credentials)) assert.ok(!text.includes(secret))
  assert.equal(statSync(join(dataDir, 'credentials.json')).mode & 0o777, 0o600)
  assert.equal(statSync(dataDir).mode & 0o777, 0o700)
  assert.equal(credentials.base_url, `http://127.0.0.1:${port}`)
  assert.deepEqual(Object.keys(credentials), SHAPE)

  const pasted = text.slice(text.indexOf('TOKEN='), text.indexOf('  Ctrl-C'))
  const { stdout } = await promisify(execFile)('bash', ['-c', pasted])
  const payment = JSON.parse(stdout) as { status: string; amount: number }
  assert.deepEqual([payment.status, payment.amount], ['completed', 1250])

  if (process.platform === 'linux') assert.equal(threadsOf(run.child.pid), 8)

  const postmaster = postmasterOf(dataDir)
  run.child.kill('SIGTERM')
  assert.equal(await run.exited, 0, run.stderr())
  assert.equal(isAlive(postmaster), false, 'the database has stopped')
  assert.equal(await supervisorOf(dataDir), undefined)
  assert.ok((await isFree(port)) && (await isFree(port + 10)))
  const log = readFileSync(join(dataDir, 'server.log'), 'utf8')
  for (const secret of secretsOf(credentials)) assert.ok(!log.includes(secret))
})

const SHAPE = ['base_url', 'tenant_id', 'clients', 'customers', 'operators', 'accounts', 'gateway']

test('kill -9 loses nothing: the next start has the same credentials and the same payments', async (t) => {
  const { dataDir, port, started } = await givenPlace(t)
  const first = started()
  await first.sees(READY)
  const before = readFileSync(join(dataDir, 'credentials.json'), 'utf8')
  const paid = await pay(dataDir)

  const second = launch(t, ['start', '--data', dataDir, '--port', `${await freePort()}`])
  assert.equal(await second.exited, 1)
  assert.match(second.stderr(), new RegExp(`already running, pid ${first.child.pid}`))
  const third = launch(t, ['start', '--data', dataDir, '--port', `${port}`])
  assert.equal(await third.exited, 1)
  assert.match(third.stderr(), new RegExp(`already running, pid ${first.child.pid}`))

  first.child.kill('SIGKILL')
  await first.exited
  assert.ok(isAlive(postmasterOf(dataDir)), 'the database lives on and is adopted')
  const again = started()
  const ms = await again.sees(READY)
  t.diagnostic(`start after kill -9: ready after ${ms.toFixed(0)} ms`)
  assert.equal(readFileSync(join(dataDir, 'credentials.json'), 'utf8'), before)
  assert.equal(await statusOf(dataDir, paid), 'completed')
  again.child.kill('SIGINT')
  assert.equal(await again.exited, 0)

  const later = started(['--json'])
  const took = await later.sees('"ready":true')
  t.diagnostic(`second start: ready after ${took.toFixed(0)} ms`)
  assert.match(later.stdout(), /"sample_data":"kept"/)
  assert.equal(await statusOf(dataDir, paid), 'completed')
  later.child.kill('SIGTERM')
  assert.equal(await later.exited, 0)

  const other = await freePort()
  const moved = launch(t, ['start', '--data', dataDir, '--port', `${other}`])
  await moved.sees(READY)
  assert.match(moved.stdout(), new RegExp(`The issuer is now http://127.0.0.1:${other}: tokens of`))
  assert.equal(credentialsIn(dataDir).base_url, `http://127.0.0.1:${other}`)
  assert.deepEqual(credentialsIn(dataDir).clients, (JSON.parse(before) as Credentials).clients)
  assert.equal(await statusOf(dataDir, paid), 'completed')
})

test('an operator makes a tenant and a client at the machine while the service runs', async (t) => {
  const { dataDir, started } = await givenPlace(t)
  const place = ['--data', dataDir]
  const early = launch(t, ['tenant', 'create', 'Too early', ...place])
  assert.equal(await early.exited, 1)
  assert.match(early.stderr(), /No database runs on .* Start it with: countinghouse start/)

  await started().sees(READY)
  const made = launch(t, ['tenant', 'create', 'Nordwind', '--mode', 'live', ...place])
  assert.equal(await made.exited, 0, made.stderr())
  const tenant = made.stdout().trim()
  assert.match(tenant, /^ten_/)
  const asked = ['--tenant', tenant, '--scope', 'payments:read payments:write', '--json']
  const client = launch(t, ['client', 'create', 'shop', ...asked, ...place])
  assert.equal(await client.exited, 0, client.stderr())
  const { client_id: id } = JSON.parse(client.stdout()) as { client_id: string }
  const list = launch(t, ['client', 'list', '--tenant', tenant, ...place])
  assert.equal(await list.exited, 0)
  assert.equal(list.stdout(), `${id}  active  service  shop\n`)
  const wrong = launch(t, ['client', 'create', 'x', '--tenant', tenant, '--scope', 'all', ...place])
  assert.equal(await wrong.exited, 2)
  assert.match(wrong.stderr(), /--scope names the unknown all/)
  const app = [
    ...['client', 'create', 'app', '--tenant', tenant, '--scope', 'openid transfer:write'],
    ...['--redirect-uri', 'https://app.example/callback', '--profile', 'fapi2'],
  ]
  const keyless = launch(t, [...app, ...place])
  assert.equal(await keyless.exited, 1)
  assert.match(keyless.stderr(), /app cannot be registered: private_key_jwt needs jwks/)
  const jwks = join(dataDir, 'jwks.json')
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(jwks, JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }))
  const keyed = launch(t, [...app, '--jwks', jwks, ...place])
  assert.equal(await keyed.exited, 0, keyed.stderr())
  assert.match(keyed.stdout(), /^client_id {6}cli_\w+\n$/)
  const rotated = launch(t, ['keys', 'rotate', '--signing', ...place])
  assert.equal(await rotated.exited, 0, rotated.stderr())
  assert.match(rotated.stdout(), /^The key \S+ signs from \d{4}-/)
  await pay(dataDir)
  const replaced = launch(t, ['keys', 'rotate', '--signing', '--now', ...place])
  assert.equal(await replaced.exited, 0, replaced.stderr())
  await sleep(3_000) // tokens of the seconds in between are refused with those from before
  await pay(dataDir)
  const status = launch(t, ['migrate', 'status', ...place])
  assert.equal(await status.exited, 0)
  assert.match(status.stdout(), /applied, 0 pending/)
  const check = launch(t, ['ledger', 'check', ...place])
  assert.equal(await check.exited, 0, check.stderr())
  assert.match(check.stdout(), /^The books hold: .*4 transactions/)
})

test('killed at any moment of its first start, the next one is ready', async (t) => {
  const { dataDir, started } = await givenPlace(t)
  for (const fraction of [0.1, 0.45, 0.8]) {
    const delay = fraction * 5_000 + (randomBytes(1)[0] as number)
    const cut = started()
    await sleep(delay)
    cut.child.kill('SIGKILL')
    await cut.exited
    t.diagnostic(`killed after ${delay.toFixed(0)} ms`)
  }
  await started().sees(READY)
  assert.equal(await statusOf(dataDir, await pay(dataDir)), 'completed')
})

test('a port that is taken ends the start within a second, and nothing was touched', async (t) => {
  const { dataDir, port, started } = await givenPlace(t)
  const server = createServer().listen(port, '127.0.0.1')
  t.after(() => server.close())
  const began = performance.now()
  const run = started()
  assert.equal(await run.exited, 1)
  t.diagnostic(`refused after ${(performance.now() - began).toFixed(0)} ms`)
  assert.match(run.stderr(), new RegExp(`Port ${port} is in use by \\S+ \\(pid ${process.pid}\\)`))
  assert.equal(existsSync(dataDir), false)
})

test('a data directory that cannot be made is named', async (t) => {
  const place = await givenDataDirectory(t)
  writeFileSync(place, 'a file')
  const port = await freePort()
  const run = launch(t, ['start', '--data', join(place, 'below'), '--port', `${port}`])
  assert.equal(await run.exited, 1)
  assert.match(run.stderr(), /The data directory .*below cannot be used \(ENOTDIR\)/)
  rmSync(place)
})

test('a database that does not answer is named without its password', async (t) => {
  const { started } = await givenPlace(t)
  const nobody = await freePort()
  const run = started([], { DATABASE_URL: `postgres://me:hunter2@127.0.0.1:${nobody}/books` })
  assert.equal(await run.exited, 1)
  assert.match(run.stderr(), new RegExp(`127.0.0.1:${nobody}/books of DATABASE_URL .*ECONNREFUSED`))
  assert.ok(!run.stderr().includes('hunter2'))
})

test('wrong usage ends with 2 and says what would be right', async (t) => {
  const cases: [string[], RegExp][] = [
    [['start', '--port', 'http'], /--port is "http": a port is a number/],
    [['start', '--prot', '1'], /unknown option '--prot'/],
    [['strat'], /unknown command 'strat'/],
    [[], /Usage: countinghouse/],
  ]
  for (const [args, message] of cases) {
    const run = launch(t, args)
    assert.equal(await run.exited, 2, args.join(' '))
    assert.match(run.stderr(), message)
  }
  const help = launch(t, ['--help'])
  assert.equal(await help.exited, 0)
  assert.match(help.stdout(), /Exit codes: 0 done/)
})

test('an older Node is told what to do', async (t) => {
  const old = ['/usr/local/bin/node', '/usr/bin/node'].find(isOlderNode)
  if (old === undefined) return t.skip('no older Node on this machine')
  const run = launch(t, ['start'], {}, old)
  assert.equal(await run.exited, 2)
  assert.match(run.stderr(), /needs Node 24.12 or newer; this is \d+\./)
  assert.match(run.stderr(), /npm ci/)
})

test('on a database of its own DATABASE_URL is seeded once, and roles share it', async (t) => {
  const { dataDir, started } = await givenPlace(t)
  const DATABASE_URL = await givenEmptyDatabase()
  const port = await freePort()
  const lacking = launch(t, ['api', '--data', dataDir, '--port', `${port}`], { DATABASE_URL })
  assert.equal(await lacking.exited, 1)
  assert.match(lacking.stderr(), /lacks \d+ of this release's migrations.*countinghouse migrate/)

  const first = started([], { DATABASE_URL })
  await first.sees(READY)
  assert.match(first.stdout(), /sample data \(new\)/)
  assert.equal(existsSync(join(dataDir, 'pg')), false)
  const before = readFileSync(join(dataDir, 'credentials.json'), 'utf8')
  const paid = await pay(dataDir)

  // A second api beside it: same tokens, same payments.
  const { base_url: issuer, gateway } = credentialsIn(dataDir)
  const gatewayPort = new URL(gateway.base_url).port
  const flags = ['--data', dataDir, '--issuer', issuer, '--gateway-port', gatewayPort]
  const api = launch(t, ['api', ...flags, '--port', `${port}`], { DATABASE_URL })
  await api.sees('"msg":"ready"')
  const worker = launch(t, ['worker', ...flags], { DATABASE_URL })
  await worker.sees('"msg":"ready"')
  assert.equal(await statusOf(dataDir, paid, `http://127.0.0.1:${port}`), 'completed')
  for (const role of [api, worker, first]) {
    role.child.kill('SIGTERM')
    assert.equal(await role.exited, 0, role.stderr())
  }

  // The file is what a sandbox is made from: an integrator's copy stays valid on a new database.
  const other = await givenEmptyDatabase()
  const fromFile = started(['--json'], { DATABASE_URL: other })
  await fromFile.sees('"ready":true')
  assert.match(fromFile.stdout(), /"sample_data":"new"/)
  assert.equal(readFileSync(join(dataDir, 'credentials.json'), 'utf8'), before)
  await pay(dataDir)
  fromFile.child.kill('SIGTERM')
  assert.equal(await fromFile.exited, 0)

  // Without the file nothing is minted in silence.
  rmSync(join(dataDir, 'credentials.json'))
  const gone = started(['--json'], { DATABASE_URL })
  await gone.sees('"ready":true')
  assert.match(gone.stdout(), /credentials.json is gone.*countinghouse client roll --all/)
  const roll = launch(t, ['client', 'roll', '--all', ...flags.slice(0, 2)], { DATABASE_URL })
  assert.equal(await roll.exited, 0, roll.stderr())
  const { accounts, tenant_id, customers, operators } = JSON.parse(before) as Credentials
  const fresh = credentialsIn(dataDir)
  assert.deepEqual([fresh.accounts, fresh.tenant_id], [accounts, tenant_id])
  assert.deepEqual(Object.keys(fresh), SHAPE)
  const unchanged = ({ password: _password, ...rest }: { password: string }) => rest
  assert.deepEqual(fresh.customers.map(unchanged), customers.map(unchanged))
  assert.deepEqual(fresh.operators.map(unchanged), operators.map(unchanged))
  const origin = issuer // where the service listens, as the first start wrote it
  const browser = cookieBrowser(origin)
  await browser.open(`${origin}/account/${fresh.tenant_id}`)
  const [{ username, password } = { username: '', password: '' }] = fresh.customers
  const old = await browser.send({ username, password: customers[0]?.password ?? '' })
  assert.match(old.text, /do not fit together/)
  assert.match((await browser.send({ username, password })).text, /You are signed in as Customer A/)
})

interface Place {
  readonly dataDir: string
  readonly port: number
  started(flags?: readonly string[], env?: Readonly<Record<string, string>>): Launched
}

async function givenPlace(t: TestContext): Promise<Place> {
  const dataDir = await givenDataDirectory(t)
  const port = await freePort()
  return {
    dataDir,
    port,
    started: (flags = [], env = {}) =>
      launch(t, ['start', '--data', dataDir, '--port', `${port}`, ...flags], env),
  }
}

/** How many threads hash passwords, read files and look up names in a process. */
function threadsOf(pid: number | undefined): number {
  const names = readdirSync(`/proc/${pid}/task`).map((id) =>
    readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim(),
  )
  return names.filter((name) => name === 'libuv-worker').length
}

function secretsOf({ clients }: Credentials): string[] {
  return Object.values(clients).map(({ client_secret }) => client_secret)
}

async function statusOf(dataDir: string, id: string, origin?: string): Promise<unknown> {
  const base = origin ?? credentialsIn(dataDir).base_url
  return await paymentStatus(base, await tokenFrom(dataDir), id)
}

function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'pg', 'postmaster.pid'), 'utf8').split('\n')[0])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Whether there is a Node here, and one that this release does not run on. */
function isOlderNode(path: string): boolean {
  if (!existsSync(path)) return false
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 })
  return Number(/^v(\d+)\./.exec(stdout)?.[1] ?? 24) < 24
}

async function givenEmptyDatabase(): Promise<string> {
  const { connection } = testClusterFromEnv()
  const name = `first_run_${process.pid}_${randomBytes(3).toString('hex')}`
  const client = new pg.Client(connection)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const { host, port, user, password } = connection
  const query = new URLSearchParams({ host: `${host}`, port: `${port}`, user: `${user}` })
  if (typeof password === 'string') query.set('password', password)
  return `postgres:///${name}?${query.toString()}`
}
