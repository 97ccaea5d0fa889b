import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import pg from 'pg'
import { createClient, createTenant } from '../../src/modules/identity/index.ts'
import { openBooks } from '../../src/modules/ledger/index.ts'
import { migrate } from '../../src/platform/db/migrate.ts'
import { type Connection, openPools } from '../../src/platform/db/pools.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { bookInBulk } from '../support/bulk-transactions.ts'
import { type BenchCluster, startBenchCluster } from './bench-cluster.ts'
import { fetchToken, startBenchService } from './bench-service.ts'
import type { BenchClient } from './seed-tenant.ts'

/**
 * `npm run bench:export`: every transaction of a large tenant as CSV over HTTP, from the service in a
 * process of its own, on a PostgreSQL of its own that goes away afterwards.
 *
 * Exit code 1 when the export differs from the ledger in rows or sum, or when the memory of the
 * service grows by 100 MB or more while it writes.
 */

const MAX_GROWTH = 100 * 1024 * 1024
const ACCOUNTS = 1_000
const SAMPLE_MS = 20

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    format: { type: 'string', default: 'csv' },
    'cpu-profile': { type: 'string' },
  },
})
const rows = Number(values.rows)
const stopped = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stopped.abort(new Error(`stopped by ${name}`)))
}
await run()

async function run(): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const cluster = await startBenchCluster()
  cleanup.defer(() => cluster.stop())
  await migrate(cluster.connection)
  const { tenantId, client } = await seedTenant(cluster.connection)
  const seeding = performance.now()
  const from = new Date(Date.now() - rows - 3_600_000)
  await bookInBulk(cluster.connection, { tenantId, count: rows, accounts: ACCOUNTS, from })
  say('transactions booked', `${count(rows)} in ${seconds(performance.now() - seeding)}`)
  const service = await startBenchService(cluster, {
    signal: stopped.signal,
    cpuProfiles: values['cpu-profile'],
  })
  cleanup.defer(() => service.stop())
  const token = await fetchToken(service.port, client)
  const base = `http://127.0.0.1:${service.port}/transactions`
  await timePages(base, token)
  await exportAll(cluster, {
    url: `${base}?format=${values.format}`,
    token,
    tenantId,
    pid: service.service.pid,
  })
}

async function seedTenant(
  connection: Connection,
): Promise<{ tenantId: string; client: BenchClient }> {
  const pools = openPools(connection, () => undefined)
  const at = new Date()
  try {
    return await inTransaction(pools.money, async (tx) => {
      const { tenant_id: tenantId } = await createTenant(tx, { name: 'Bench', mode: 'sandbox', at })
      await openBooks(tx, { tenantId, timeZone: 'UTC' })
      const { clientId, clientSecret } = await createClient(tx, {
        tenantId,
        name: 'bench',
        kind: 'service',
        grantTypes: ['client_credentials'],
        scope: 'history:read',
        authMethod: 'client_secret_basic',
        at,
      })
      return { tenantId, client: { clientId, clientSecret: clientSecret as string } }
    })
  } finally {
    await pools.close()
  }
}

/** First pages, as an operator turns them. The slowest of five. */
async function timePages(base: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const first = (await (await fetch(base, { headers })).json()) as {
    data: {
      debit_account_id: string
      payment_id: string | null
      booked_at: string
      reference: string
    }[]
  }
  const some = first.data.find(({ payment_id: id }) => id !== null)
  const pages: Record<string, Record<string, string>> = {
    newest: {},
    oldest: { order: 'asc' },
    'one account': { account_id: some?.debit_account_id ?? '' },
    'one payment': { payment_id: some?.payment_id ?? '' },
    'a reference': { reference: some?.reference ?? '' },
    'an hour ago': { 'booked[lt]': new Date(Date.now() - 7_200_000).toISOString() },
    reversed: { status: 'reversed' },
    'a type that never occurs': { type: randomUUID() },
  }
  for (const [name, query] of Object.entries(pages)) {
    let slowest = 0
    for (let tries = 0; tries < 5; tries += 1) {
      const begun = performance.now()
      const answer = await fetch(`${base}?${new URLSearchParams(query).toString()}`, { headers })
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`${name}: ${answer.status}`)
      slowest = Math.max(slowest, performance.now() - begun)
    }
    say(`page: ${name}`, `${slowest.toFixed(1)} ms`)
  }
}

async function exportAll(
  { connection }: BenchCluster,
  asked: { url: string; token: string; tenantId: string; pid: number },
): Promise<void> {
  const before = await residentBytes(asked.pid)
  const memory = watchMemory(asked.pid)
  const begun = performance.now()
  const heard = await download(asked)
  const took = performance.now() - begun
  const peak = await memory.stop()
  const held = await ledgerOf(connection, asked.tenantId)
  say('rows', `${count(heard.rows)} of ${count(held.rows)}`)
  say('sum in minor units', `${heard.sum} of ${held.sum}`)
  say('bytes', megabytes(heard.bytes))
  say('time', `${seconds(took)}, ${count(Math.round(heard.rows / (took / 1_000)))} rows/s`)
  say('memory before', megabytes(before))
  say('memory at most', megabytes(peak))
  say('memory growth', `${megabytes(peak - before)}, bar ${megabytes(MAX_GROWTH)}`)
  const whole = heard.rows === held.rows && heard.sum === held.sum
  if (!whole || peak - before >= MAX_GROWTH) process.exitCode = 1
}

/** Reads as fast as it comes. The fields before the amount are plain, so a line splits at its commas. */
async function download({ url, token }: { url: string; token: string }) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok || response.body === null) throw new Error(`no export: ${response.status}`)
  const decoder = new TextDecoder()
  let [bytes, seen, sum, left] = [0, 0, 0n, '']
  for await (const chunk of response.body) {
    stopped.signal.throwIfAborted()
    bytes += chunk.length
    const lines = (left + decoder.decode(chunk, { stream: true })).split('\n')
    left = lines.pop() ?? ''
    let part = 0
    for (const line of lines) {
      const amount =
        values.format === 'csv' ? line.split(',', 7)[6] : /"amount":(\d+)/.exec(line)?.[1]
      if (amount === undefined || amount === 'amount_minor') continue
      seen += 1
      part += Number(amount)
    }
    sum += BigInt(part)
  }
  return { bytes, rows: seen, sum: sum.toString() }
}

async function ledgerOf(connection: Connection, tenantId: string) {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows: found } = await client.query<{ rows: number; sum: string }>(
      'select count(*)::int as rows, sum(amount)::text as sum from ledger.transactions where tenant_id = $1',
      [tenantId],
    )
    return found[0] as { rows: number; sum: string }
  } finally {
    await client.end()
  }
}

function watchMemory(pid: number): { stop: () => Promise<number> } {
  const ended = new AbortController()
  const watch = async (): Promise<number> => {
    let peak = 0
    while (!ended.signal.aborted) {
      peak = Math.max(peak, await residentBytes(pid))
      await delay(SAMPLE_MS)
    }
    return peak
  }
  const watched = watch()
  return {
    stop: () => {
      ended.abort()
      return watched
    },
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes =
    /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ??
    (await promisify(execFile)('ps', ['-o', 'rss=', '-p', `${pid}`])).stdout
  return Number(kilobytes) * 1024
}

function say(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(26)} ${value}\n`)
}

function count(number: number): string {
  return number.toLocaleString('en')
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`
}
