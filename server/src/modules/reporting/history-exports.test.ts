import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { bookInBulk } from '../../../test/support/bulk-transactions.ts'
import { type TestService, startServiceForTests } from '../../../test/support/service.ts'
import { publicId } from '../../platform/ids.ts'
import { createHistoryExports } from './history-exports.ts'
import type { Asked } from './history-forms.ts'

const BULK = 20_000
// The system holds some 10 MB between a writer and a reader who does not read; 30 MB do not fit.
const NOTE = 800
let it: TestService
let owner: pg.Client

before(async () => {
  it = await startServiceForTests({ worker: false })
  owner = new pg.Client(it.database.connection)
  await owner.connect()
  const { tenantId } = it
  const from = new Date('2026-11-01T00:00:00Z')
  await bookInBulk(it.database.connection, {
    tenantId,
    count: BULK,
    accounts: 5,
    from,
    noteLength: NOTE,
  })
})
after(async () => {
  await owner.end()
  await it.close()
})

interface Ask {
  readonly accept?: string
  readonly token?: string
  readonly method?: string
  readonly signal?: AbortSignal
}

async function ask(query: string, { accept, token, method, signal }: Ask = {}): Promise<Response> {
  return await fetch(`${it.baseUrl}/transactions${query}`, {
    method: method ?? 'GET',
    ...(signal !== undefined && { signal }),
    headers: {
      authorization: `Bearer ${token ?? it.tokens.backoffice}`,
      ...(accept !== undefined && { accept }),
    },
  })
}

/** The lines of a body as the standard reads them: name to field, and whether it stood in quotes. */
async function csvOf(response: Response, delimiter = ','): Promise<Record<string, string>[]> {
  assert.equal(response.status, 200)
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await response.arrayBuffer())
  const field = new RegExp(`("(?:[^"]|"")*"|[^"\\r\\n${delimiter}]*)(${delimiter}|\\r\\n)`, 'gy')
  const lines: string[][] = [[]]
  let end = 0
  for (const [whole, raw = '', stop] of text.replace(/^\uFEFF/, '').matchAll(field)) {
    end += whole.length
    const value = raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw
    lines.at(-1)?.push(value)
    if (stop === '\r\n') lines.push([])
  }
  assert.equal(end, text.replace(/^\uFEFF/, '').length, 'every byte belongs to a field')
  assert.deepEqual(lines.pop(), [], 'the last line ends as every other')
  const [names = [], ...rows] = lines
  return rows.map((row) => {
    assert.equal(row.length, names.length)
    return Object.fromEntries(row.map((value, at) => [names[at] ?? '', value]))
  })
}

async function ndjsonOf(response: Response): Promise<Record<string, unknown>[]> {
  assert.equal(response.status, 200)
  const lines = (await response.text()).split('\n')
  assert.equal(lines.pop(), '')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function ledger(): Promise<{ count: number; sum: bigint; debits: bigint }> {
  const { rows } = await owner.query<{ count: number; sum: string; debits: string }>(
    `select count(*)::int as count, sum(amount)::text as sum,
            (select sum(amount)::text from ledger.entries where tenant_id = $1 and amount > 0) as debits
       from ledger.transactions where tenant_id = $1`,
    [it.tenantId],
  )
  const { count = 0, sum = '0', debits = '0' } = rows[0] ?? {}
  return { count, sum: BigInt(sum), debits: BigInt(debits) }
}

async function book(entry: { description?: string; external_id?: string; amount?: number }) {
  const { amount = 1_250, ...words } = entry
  const { customer_a: a, customer_b: b } = it.accounts
  const heard = await it.call('POST', '/ledger/transactions', {
    body: {
      type: 'told',
      ...words,
      entries: [
        { account_id: a, direction: 'debit', amount, currency: 'EUR' },
        { account_id: b, direction: 'credit', amount, currency: 'EUR' },
      ],
    },
  })
  assert.equal(heard.status, 201, JSON.stringify(heard.body))
  return String(heard.body['id'])
}

function minorOf(decimal = ''): bigint {
  assert.match(decimal, /^\d+\.\d\d$/)
  return BigInt(decimal.replace('.', ''))
}

test('a CSV holds as many rows as the ledger, each once, and the same sums', async () => {
  const rows = await csvOf(await ask('?format=csv'))
  const { count, sum, debits } = await ledger()
  assert.ok(count > BULK)
  assert.equal(rows.length, count)
  assert.equal(new Set(rows.map((row) => row['id'])).size, count)
  const total = rows.reduce((so_far, row) => so_far + BigInt(row['amount_minor'] ?? ''), 0n)
  const decimals = rows.reduce((so_far, row) => so_far + minorOf(row['amount']), 0n)
  assert.deepEqual({ total, decimals }, { total: sum, decimals: debits })
})

test('NDJSON holds whole transactions and says at its end how many there were', async () => {
  const response = await ask('', { accept: 'application/x-ndjson' })
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const lines = await ndjsonOf(response)
  const { count, debits } = await ledger()
  assert.deepEqual(lines.pop(), { object: 'end', rows: count })
  assert.equal(lines.length, count)
  const entries = lines.flatMap(
    (line) => line['entries'] as { amount: number; direction: string }[],
  )
  for (const side of ['debit', 'credit']) {
    const amounts = entries.filter((entry) => entry.direction === side).map(({ amount }) => amount)
    assert.equal(
      amounts.reduce((so_far, amount) => so_far + BigInt(amount), 0n),
      debits,
    )
  }
  const listed = await it.call('GET', '/transactions?limit=50')
  assert.deepEqual(lines.slice(0, 50), listed.body['data'])
})

test('an export takes the filters and the order of the list', async () => {
  const query =
    'type=transfer&amount[gte]=20000&booked[gte]=2026-11-01T00:00:03Z&booked[lt]=2026-11-01T00:00:04Z&order=asc'
  const rows = await csvOf(await ask(`?${query}`, { accept: 'text/csv' }))
  assert.ok(rows.length > 100 && rows.length < 500, `${rows.length} rows`)
  const { body } = await it.call('GET', `/transactions?${query}&limit=100`)
  const listed = (body['data'] as { id: string }[]).map(({ id }) => id)
  assert.deepEqual(
    rows.slice(0, 100).map((row) => row['id']),
    listed,
  )
  const account = it.accounts.customer_a
  const ofAccount = await csvOf(await ask(`?format=csv&account_id=${account}`))
  assert.ok(ofAccount.length > 0 && ofAccount.length < 100)
  for (const row of ofAccount) {
    assert.ok([row['debit_account_id'], row['credit_account_id']].includes(account))
  }
})

test('an account is exported whole, however many entries it has', async () => {
  const { rows } = await owner.query<{ id: string; count: number }>(
    `select account_id as id, count(distinct transaction_id)::int as count from ledger.entries
      where tenant_id = $1 group by 1 order by 2 desc limit 1`,
    [it.tenantId],
  )
  const { id = '', count } = rows[0] ?? {}
  const query = `?format=csv&columns=id&account_id=${publicId('acc', id)}`
  const ids = (await csvOf(await ask(query))).map((row) => row['id'])
  assert.deepEqual([ids.length, new Set(ids).size], [count, count])
})

test('columns, delimiter and byte order mark are as asked', async () => {
  const plain = await ask(
    '?format=csv&bom=false&delimiter=%3B&columns=amount&columns=id&status=reversed',
  )
  assert.equal(await plain.text(), 'amount;id\r\n')
  const marked = await ask('?format=csv&columns=id&status=reversed')
  assert.deepEqual(
    [...new Uint8Array(await marked.arrayBuffer())],
    [0xef, 0xbb, 0xbf, 0x69, 0x64, 13, 10],
  )
  assert.equal(marked.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  assert.match(
    marked.headers.get('content-disposition') ?? '',
    /^attachment; filename="transactions.csv"$/,
  )
  assert.match(marked.headers.get('vary') ?? '', /\bAccept\b/)
})

test('a line tells what the list tells', async () => {
  const id = await book({
    description: 'Chairs, "two";\nand a table',
    external_id: 'line-1',
    amount: 7,
  })
  const response = await ask('?format=csv&delimiter=;&reference=line-1')
  const text = await response.clone().text()
  assert.ok(text.includes(`"${id}"`), 'ids stand in quotes')
  assert.ok(text.includes('"Chairs, ""two"";\nand a table"'))
  const [row] = await csvOf(response, ';')
  const { body } = await it.call('GET', '/transactions?reference=line-1')
  const [listed] = body['data'] as Record<string, unknown>[]
  assert.deepEqual(row, {
    id,
    type: 'told',
    status: 'posted',
    booked_at: listed?.['booked_at'],
    effective_on: listed?.['effective_on'],
    amount: '0.07',
    amount_minor: '7',
    currency: 'EUR',
    description: 'Chairs, "two";\nand a table',
    reference: 'line-1',
    payment_id: '',
    payment_status: '',
    debit_account_id: it.accounts.customer_a,
    credit_account_id: it.accounts.customer_b,
    reverses_transaction_id: '',
    reversed_by_transaction_id: '',
    entry_count: '2',
    metadata: '{}',
  })
})

test('text that a spreadsheet would run comes out inert, and amounts as they are', async () => {
  const hostile = ['=1+1', '+49 30 1', '-12.50', '@sum', ' =cmd()', '\n=1', '\t=1', '＝1+1', '＠x']
  for (const [at, text] of hostile.entries()) {
    await book({ description: text, external_id: `=inj-${at}`, amount: 100_000 + at })
  }
  for (const [at, text] of hostile.entries()) {
    const query = new URLSearchParams({ format: 'csv', reference: `=inj-${at}` })
    const [row] = await csvOf(await ask(`?${query.toString()}`))
    assert.equal(row?.['description'], `'${text}`)
    assert.equal(row['reference'], `'=inj-${at}`)
    assert.equal(row['amount'], `1000.0${at}`)
    assert.equal(row['amount_minor'], `${100_000 + at}`)
  }
  const harmless = ['a=b', '1-2', 'x@y', "'quoted'", '  two  ']
  for (const [at, text] of harmless.entries()) {
    await book({ description: text, external_id: `ok-${at}` })
    const [row] = await csvOf(await ask(`?format=csv&reference=ok-${at}`))
    assert.equal(row?.['description'], text)
  }
})

test('another tenant exports its own rows and none of these', async () => {
  const rows = await csvOf(await ask('?format=csv', { token: it.tokens.stranger }))
  assert.deepEqual([...new Set(rows.map((row) => row['type']))], ['opening_balance'])
  const lines = await ndjsonOf(await ask('?format=ndjson', { token: it.tokens.stranger }))
  assert.deepEqual(lines.at(-1), { object: 'end', rows: rows.length })
})

test('an export that was read to its end takes no room', async () => {
  for (let times = 0; times < 4; times += 1) {
    const response = await ask('?format=csv&columns=id')
    assert.equal(response.status, 200)
    await response.text()
  }
})

test('HEAD tells the form and does no work', async () => {
  const response = await ask('?format=csv', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  assert.deepEqual(await snapshots(), [])
})

interface Session {
  readonly pid: number
  readonly state: string
  readonly since: Date
}

/** The connections that hold a snapshot for an export. */
async function snapshots(): Promise<Session[]> {
  const { rows } = await owner.query<Session>(
    `select pid, state, state_change as since from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and xact_start is not null and query like '%.report_%'`,
  )
  return rows
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return
    await delay(50)
  }
  assert.fail(`it did not come about that ${what}`)
}

/** The connection of an export whose reader has stopped reading: between two statements for a while. */
async function untilItWaits(): Promise<Session> {
  let waiting: Session | undefined
  await eventually('the export waits for its reader', async () => {
    const [session] = await snapshots()
    const isIdle = session?.state === 'idle in transaction'
    waiting = isIdle && Date.now() - session.since.getTime() > 500 ? session : undefined
    return waiting !== undefined
  })
  return waiting as Session
}

/** An export whose reader takes its first bytes and then no more. */
async function openUnread() {
  const stopped = new AbortController()
  const response = await ask('?format=ndjson', { signal: stopped.signal })
  assert.equal(response.status, 200)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const first = await reader.read()
  return {
    reader,
    first: first.value ?? new Uint8Array(),
    leave: () => stopped.abort(),
    /** What is left; rejects when it breaks off. */
    async rest(): Promise<string> {
      const chunks = [first.value ?? new Uint8Array()]
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return Buffer.concat(chunks).toString()
        chunks.push(value)
      }
    },
  }
}

test('the service reads no further than its reader takes', async () => {
  const slow = await openUnread()
  await untilItWaits()
  const text = await slow.rest()
  const { count } = await ledger()
  assert.ok(text.endsWith(`{"object":"end","rows":${count}}\n`))
  await eventually('its snapshot is given back', async () => (await snapshots()).length === 0)
})

test('an export shows one moment: what is booked meanwhile is not in it', async () => {
  const { count } = await ledger()
  const slow = await openUnread()
  await book({ external_id: 'meanwhile' })
  const text = await slow.rest()
  assert.ok(text.endsWith(`{"object":"end","rows":${count}}\n`))
  assert.ok(!text.includes('"meanwhile"'))
})

test('a third export at once is turned away for a while; a reader that leaves makes room', async () => {
  const [one, two] = [await openUnread(), await openUnread()]
  const third = await ask('?format=csv')
  assert.equal(third.status, 503)
  assert.equal(third.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  assert.equal(third.headers.get('content-disposition'), null)
  assert.ok(Number(third.headers.get('retry-after')) >= 1)
  const problem = (await third.json()) as Record<string, unknown>
  assert.deepEqual([problem['code'], problem['retryable']], ['overloaded', true])
  const list = await it.call('GET', '/transactions?limit=1')
  assert.equal(list.status, 200, 'lists go on')

  one.leave()
  two.leave()
  await eventually('both stop', async () => (await snapshots()).length === 0)
  await eventually('there is room again', async () => {
    const again = await ask('?format=csv&status=reversed')
    await again.text()
    return again.status === 200
  })
})

test('an export that fails midway breaks off, so that nobody takes it for whole', async () => {
  const broken = await openUnread()
  const { pid } = await untilItWaits()
  await owner.query('select pg_terminate_backend($1)', [pid])
  await assert.rejects(broken.rest())
  const whole = await ask('?format=csv&status=reversed')
  assert.equal(whole.status, 200, 'the service lives on')
  await whole.text()
})

test('rows with all the metadata that there may be fit into the memory of an export', async () => {
  const tenantId = randomUUID()
  const count = 1_100
  const { pools, connection } = it.database
  await bookInBulk(connection, {
    tenantId,
    count,
    accounts: 5,
    from: new Date('2026-11-02T00:00:00Z'),
  })
  // 50 texts of 500 characters outside the basic plane, which take the most room.
  await owner.query('begin')
  await owner.query('alter table ledger.transactions disable trigger written_once')
  await owner.query(
    `update ledger.transactions set metadata =
       (select jsonb_object_agg('key' || k, repeat('😀', 500)) from generate_series(1, 50) k)
      where tenant_id = $1`,
    [tenantId],
  )
  await owner.query('alter table ledger.transactions enable trigger written_once')
  await owner.query('commit')
  const asked: Asked = {
    tenantId,
    filters: { types: [] },
    order: 'desc',
    form: { format: 'ndjson' },
  }
  let [length, end] = [0, '']
  for await (const piece of await createHistoryExports(pools.report, connection).open(asked)) {
    const text = String(piece)
    length += text.length
    end = text.slice(-40)
  }
  assert.ok(length > count * 50_000, `${length} characters`)
  assert.ok(end.endsWith(`{"object":"end","rows":${count}}\n`), end)
})

test('a service that stops lets exports end, and cuts off what takes too long', async () => {
  const { pools, connection } = it.database
  const exports = createHistoryExports(pools.report, connection, 100)
  const asked: Asked = {
    tenantId: it.tenantId,
    filters: { types: [] },
    order: 'desc',
    form: { format: 'ndjson' },
  }
  const [taken, left] = [await exports.open(asked), await exports.open(asked)]
  const failure = new Promise<Error>((resolve) => left.once('error', resolve))
  const stopped = exports.close()
  taken.destroy()
  assert.match((await failure).message, /stops/)
  await stopped
  await eventually('no snapshot is left', async () => (await snapshots()).length === 0)
})
