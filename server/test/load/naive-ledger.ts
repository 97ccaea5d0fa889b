import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { internalId, newId, publicId } from '../../src/platform/ids.ts'
import { type AccountPicker, pickAccounts } from './account-picker.ts'
import { answerParent } from './child.ts'
import { type Driver, answerWith } from './driver.ts'
import { COUNTER_DIGITS, type NaiveLoad, type Specimen } from './load.ts'
import { type LoadRecord, openRecord } from './load-record.ts'

/**
 * What the service is compared with: the same rows of a book payment, written the usual way, by one
 * interactive transaction per payment that locks, reads, decides and writes a statement per row. No
 * HTTP, no token, no validation. Its statements are prepared, which many programs do not even do.
 */
export function run(): Promise<void> {
  answerParent(answerWith((load) => start(load as NaiveLoad)))
  process.once('SIGTERM', () => process.exit(0))
  return Promise.resolve()
}

async function start(load: NaiveLoad): Promise<Driver> {
  const record = openRecord(load.journalFile)
  const accounts = readFileSync(load.accountsFile, 'latin1')
    .split('\n')
    .map((id) => internalId('acc', id) as string)
  const picker = pickAccounts(accounts.length, load.pick)
  const clients = await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const client = new pg.Client({ ...load.connection, options: '-c role=countinghouse_app' })
      await client.connect()
      return client
    }),
  )
  let counter = 0
  let stopping = false
  const workers = clients.map(async (client) => {
    while (!stopping) {
      counter += 1
      const key = load.keyPrefix + String(counter).padStart(COUNTER_DIGITS, '0')
      await payOnce(client, { ...transferOf(accounts, picker), key, load }, record)
    }
    await client.end()
  })
  return {
    mark: () => record.mark(),
    async stop() {
      stopping = true
      await Promise.all(workers)
      return record.close()
    },
  }
}

interface Payment {
  readonly source: string
  readonly recipient: string
  readonly key: string
  readonly load: NaiveLoad
}

function transferOf(accounts: readonly string[], picker: AccountPicker) {
  const credited = picker.credit()
  const recipient = accounts[credited] as string
  return { source: accounts[picker.debit(credited)] as string, recipient }
}

async function payOnce(client: pg.Client, payment: Payment, record: LoadRecord): Promise<void> {
  const since = performance.now()
  record.sent()
  try {
    const id = await pay(client, payment)
    record.answered(201, performance.now() - since)
    const line = Buffer.from(`${payment.key} ${publicId('pay', id)}`)
    record.journal(line, 0, line.length, 0x0a)
  } catch (error) {
    record.answered(500, performance.now() - since)
    record.problem(String(error))
    await client.query('rollback').catch(() => undefined)
  }
}

const AMOUNT = 125n
const CURRENCY = 'EUR'

async function pay(client: pg.Client, { source, recipient, key, load }: Payment): Promise<string> {
  const { specimen } = load
  const { tenantId, principal } = specimen
  const at = new Date()
  const paymentId = newId(at)
  const transactionId = newId(at)
  const asked = JSON.stringify({ source, recipient, amount: Number(AMOUNT) })
  const fingerprint = createHash('sha256').update(asked).digest()
  const day = at.toISOString().slice(0, 10)
  const write = (statement: Statement, values: readonly unknown[]) =>
    client.query({ ...statement, values: [...values] })

  await client.query('begin')
  await write(insertKey, [tenantId, principal, key, fingerprint, paymentId, at])
  const { from, to, bookedMicros } = await lock(client, { tenantId, source, recipient })
  if (from.credits - from.debits < AMOUNT) throw new Error('insufficient funds')
  const header = [tenantId, transactionId, bookedMicros, CURRENCY, day, AMOUNT]
  await write(insertTransaction, [...header, paymentId])
  // The guard of the table wants the entries of a transaction in one statement.
  const debit = [source, from.seq + 1n, from.debits - from.credits + AMOUNT]
  const credit = [recipient, to.seq + 1n, to.debits - to.credits - AMOUNT]
  await write(insertEntries, [...header, ...debit, ...credit])
  await write(updateBalance, [tenantId, source, AMOUNT, 0n, bookedMicros])
  await write(updateBalance, [tenantId, recipient, 0n, AMOUNT, bookedMicros])
  const parties = [recipient, source]
  const made = [transactionId, principal, at, specimen.eventSequence]
  await write(insertPayment, [tenantId, paymentId, AMOUNT, CURRENCY, ...parties, ...made])
  await write(insertAct, [tenantId, at, newId(at), principal, paymentId, key, specimen.auditDetail])
  for (const { type, object_kind: kind, sequence, data } of specimen.events) {
    const object = kind === 'payment' ? paymentId : transactionId
    await write(insertEvent, [tenantId, newId(at), type, kind, object, sequence, at, data, key])
  }
  await write(insertResponse, [tenantId, principal, key, at, ...answerOf(specimen, paymentId)])
  await client.query('commit')
  return paymentId
}

function answerOf(specimen: Specimen, paymentId: string): [location: string, body: string] {
  const id = publicId('pay', paymentId)
  return [`/payments/${id}`, specimen.responseBody.replace(specimen.paymentId, id)]
}

interface Locked {
  readonly seq: bigint
  readonly debits: bigint
  readonly credits: bigint
}

async function lock(
  client: pg.Client,
  { tenantId, source, recipient }: { tenantId: string; source: string; recipient: string },
): Promise<{ from: Locked; to: Locked; bookedMicros: bigint }> {
  const { rows } = await client.query<Record<string, string>>({
    ...selectForUpdate,
    values: [tenantId, [source, recipient]],
  })
  const read = (account: string): Locked & { bookable: bigint } => {
    const row = rows.find((one) => one['account_id'] === account)
    if (row === undefined) throw new Error(`no account ${account}`)
    const [seq, debits, credits, bookable] = ['last_seq', 'debits', 'credits', 'bookable'].map(
      (column) => BigInt(row[column] ?? ''),
    ) as [bigint, bigint, bigint, bigint]
    return { seq, debits, credits, bookable }
  }
  const [from, to] = [read(source), read(recipient)]
  return { from, to, bookedMicros: from.bookable > to.bookable ? from.bookable : to.bookable }
}

interface Statement {
  readonly name: string
  readonly text: string
}

const selectForUpdate: Statement = {
  name: 'select_for_update',
  text: `
    select account_id, last_seq, debits_posted as debits, credits_posted as credits,
           (extract(epoch from greatest(clock_timestamp(), last_booked_at + interval '1 microsecond'))
             * 1000000)::bigint as bookable
    from ledger.balances where tenant_id = $1 and account_id = any($2::uuid[])
    order by account_id for update`,
}

const insertKey: Statement = {
  name: 'insert_key',
  text: `
    insert into platform.idempotency_keys (tenant_id, principal, key, fingerprint, object_id, created_at)
    values ($1, $2, $3, $4, $5, $6)`,
}

const insertTransaction: Statement = {
  name: 'insert_transaction',
  text: `
    insert into ledger.transactions
      (tenant_id, transaction_id, booked_at, currency, effective_on, amount, correlation_id, type, entry_count)
    values ($1, $2, 'epoch'::timestamptz + $3::bigint * interval '1 microsecond', $4, $5, $6, $7,
            'book_payment', 2)`,
}

const insertEntries: Statement = {
  name: 'insert_entries',
  text: `
    insert into ledger.entries
      (tenant_id, transaction_id, booked_at, currency, effective_on, amount, account_id, seq, balance_after)
    select $1::uuid, $2::uuid, 'epoch'::timestamptz + $3::bigint * interval '1 microsecond', $4::text,
           $5::date, e.amount, e.account_id, e.seq, e.balance_after
    from (values ($6::bigint, $7::uuid, $8::bigint, $9::bigint),
                 (- $6::bigint, $10::uuid, $11::bigint, $12::bigint))
      as e (amount, account_id, seq, balance_after)`,
}

const updateBalance: Statement = {
  name: 'update_balance',
  text: `
    update ledger.balances
    set debits_posted = debits_posted + $3, credits_posted = credits_posted + $4,
        last_seq = last_seq + 1,
        last_booked_at = 'epoch'::timestamptz + $5::bigint * interval '1 microsecond'
    where tenant_id = $1 and account_id = $2`,
}

const insertPayment: Statement = {
  name: 'insert_payment',
  text: `
    insert into payments.payments
      (tenant_id, id, version, event_sequence, state, payment_type, direction, amount, currency,
       amount_authorized, amount_captured, capture_method, payment_method, recipient_account_id,
       source_account_id, description, metadata, ledger_transaction_ids, created_by, created_at,
       updated_at, completed_at)
    values ($1, $2, 1, $10, 'completed', 'book', 'internal', $3, $4, $3, $3, 'automatic',
            '{"type":"book"}', $5, $6, 'Invoice 4711', '{}', array[$7::uuid], $8, $9, $9, $9)`,
}

const insertAct: Statement = {
  name: 'insert_act',
  text: `
    insert into audit.events (tenant_id, at, id, actor_kind, actor_id, action, outcome, resource_kind,
                              resource_id, origin, request_id, detail)
    values ($1, $2, $3, 'client', $4, 'payment.create', 'success', 'payment', $5, '127.0.0.1', $6, $7)`,
}

const insertEvent: Statement = {
  name: 'insert_event',
  text: `
    insert into platform.events (tenant_id, id, epoch, type, object_kind, object_id, sequence,
                                 schema_version, occurred_at, data, request_id)
    values ($1, $2, (select epoch from platform.cluster), $3, $4, $5, $6, '2026-11-01', $7, $8, $9)`,
}

const insertResponse: Statement = {
  name: 'insert_response',
  text: `
    insert into platform.idempotency_responses
      (tenant_id, principal, key, created_at, status, api_version, location, body)
    values ($1, $2, $3, $4, 201, '2026-11-01', $5, $6)`,
}
