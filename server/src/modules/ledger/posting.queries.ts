import { expectCount, statement } from '../../platform/db/statement.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { TxOf } from '../../platform/db/types.ts'
import type { BalanceState } from './balance.ts'
import type { BookedTransaction, HoldState } from './posting.ts'

/** What the poster writes: one statement per table and batch, sent without waiting. */
type Tx = TxOf<'ledger'>

export function writeTransactions(tx: Tx, booked: readonly BookedTransaction[]): void {
  if (booked.length === 0) return
  insertTransactions.send(
    tx,
    booked.map(({ tenantId }) => tenantId),
    booked.map(({ transactionId }) => transactionId),
    booked.map(({ type }) => type),
    booked.map(({ effectiveOn }) => effectiveOn),
    booked.map(({ bookedMicros }) => bookedMicros),
    booked.map(({ entries }) => entries.length),
    booked.map(({ currency }) => currency),
    booked.map(({ amount }) => amount),
    booked.map(({ correlationId }) => correlationId),
    booked.map(({ holdId }) => holdId),
    booked.map(({ reverses }) => reverses),
    booked.map(({ corrects }) => corrects),
    booked.map(({ externalId }) => externalId),
    booked.map(({ dedupeKey }) => dedupeKey),
    booked.map(({ module }) => module),
    booked.map(({ description }) => description),
    booked.map(({ metadata }) => metadata),
  )
  // All entries in one statement, or the guard would see half a transaction.
  const entries = booked.flatMap((transaction) =>
    transaction.entries.map((entry) => ({ ...entry, transaction })),
  )
  insertEntries.send(
    tx,
    entries.map(({ transaction }) => transaction.tenantId),
    entries.map(({ accountId }) => accountId),
    entries.map(({ transaction }) => transaction.bookedMicros),
    entries.map(({ seq }) => seq),
    entries.map(({ transaction }) => transaction.transactionId),
    entries.map(({ currency }) => currency),
    entries.map(({ amount }) => amount),
    entries.map(({ balanceAfter }) => balanceAfter),
    entries.map(({ transaction }) => transaction.effectiveOn),
  )
}

const insertTransactions = statement(`
  insert into ledger.transactions
    (tenant_id, transaction_id, type, effective_on, booked_at, entry_count, currency, amount,
     correlation_id, hold_id, reverses_transaction_id, corrects_transaction_id, external_id, dedupe_key,
     module, description, metadata)
  select u.tenant_id, u.id, u.type, u.effective_on,
         'epoch'::timestamptz + u.booked_micros * interval '1 microsecond', u.entry_count, u.currency,
         u.amount, u.correlation_id, u.hold_id, u.reverses, u.corrects, u.external_id,
         u.dedupe_key, u.module, u.description, u.metadata
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::bigint[], $6::int[], $7::text[],
              $8::bigint[], $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[],
              $14::text[], $15::text[], $16::text[], $17::jsonb[])
    as u (tenant_id, id, type, effective_on, booked_micros, entry_count, currency, amount,
          correlation_id, hold_id, reverses, corrects, external_id, dedupe_key, module,
          description, metadata)`)

const insertEntries = statement(`
  insert into ledger.entries
    (tenant_id, account_id, booked_at, seq, transaction_id, currency, amount, balance_after, effective_on)
  select u.tenant_id, u.account_id, 'epoch'::timestamptz + u.booked_micros * interval '1 microsecond',
         u.seq, u.transaction_id, u.currency, u.amount, u.balance_after, u.effective_on
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[],
              $7::bigint[], $8::bigint[], $9::date[])
    as u (tenant_id, account_id, booked_micros, seq, transaction_id, currency, amount, balance_after,
          effective_on)`)

/** Writes absolute values; the guard on `last_seq` proves that nobody wrote in between. */
export function writeBalances(tx: Tx, states: readonly BalanceState[], bookedMicros: bigint): void {
  if (states.length === 0) return
  updateBalances.send(
    tx,
    states.map(({ tenantId }) => tenantId),
    states.map(({ accountId }) => accountId),
    states.map(({ debitsPosted }) => debitsPosted),
    states.map(({ creditsPosted }) => creditsPosted),
    states.map(({ debitsPending }) => debitsPending),
    states.map(({ creditsPending }) => creditsPending),
    states.map(({ forcedFloor }) => forcedFloor),
    states.map(({ lastSeq }) => lastSeq),
    states.map(({ booked, lastBookedMicros }) => (booked ? bookedMicros : lastBookedMicros)),
    states.map(({ readSeq }) => readSeq),
    states.length,
  )
}

// The cast fails, and with it the transaction, when somebody wrote in between: the database itself
// must say so, since COMMIT is already on its way.
const updateBalances = statement(`
  with written as (
  update ledger.balances b
  set debits_posted = u.debits_posted, credits_posted = u.credits_posted,
      debits_pending = u.debits_pending, credits_pending = u.credits_pending,
      forced_floor = u.forced_floor, last_seq = u.last_seq,
      last_booked_at = 'epoch'::timestamptz + u.booked_micros * interval '1 microsecond'
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
    as u (tenant_id, account_id, debits_posted, credits_posted, debits_pending, credits_pending,
          forced_floor, last_seq, booked_micros, read_seq)
  where b.tenant_id = u.tenant_id and b.account_id = u.account_id and b.last_seq = u.read_seq
  returning 1)
  select case when count(*) = $11::bigint then 1
         else ($11 || ' balances locked, ' || count(*) || ' written')::int end from written`)

export function writeHolds(tx: Tx, holds: readonly HoldState[]): void {
  const opened = holds.filter(({ isNew }) => isNew)
  const changed = holds.filter(({ isNew }) => !isNew)
  if (opened.length > 0) insertAll(tx, opened)
  if (changed.length > 0) pipelined(tx, updateAll(tx, changed))
}

function insertAll(tx: Tx, holds: readonly HoldState[]): void {
  insertHolds.send(
    tx,
    holds.map(({ tenantId }) => tenantId),
    holds.map(({ holdId }) => holdId),
    holds.map(({ debitAccountId }) => debitAccountId),
    holds.map(({ creditAccountId }) => creditAccountId),
    holds.map(({ currency }) => currency),
    holds.map(({ amount }) => amount),
    holds.map(({ postedAmount }) => postedAmount),
    holds.map(({ releasedAmount }) => releasedAmount),
    holds.map(({ status }) => status),
    holds.map(({ expiresAt }) => expiresAt),
    holds.map(({ correlationId }) => correlationId),
    holds.map(({ description }) => description),
    holds.map(({ metadata }) => metadata),
    holds.map(({ version }) => version),
    holds.map(({ eventSequence }) => eventSequence),
    holds.map(({ createdAt }) => createdAt),
  )
}

const insertHolds = statement(`
  insert into ledger.holds
    (tenant_id, hold_id, debit_account_id, credit_account_id, currency, amount, posted_amount,
     released_amount, status, expires_at, correlation_id, description, metadata, version,
     event_sequence, created_at)
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[],
                       $7::bigint[], $8::bigint[], $9::text[], $10::timestamptz[], $11::uuid[],
                       $12::text[], $13::jsonb[], $14::int[], $15::int[], $16::timestamptz[])`)

async function updateAll(tx: Tx, holds: readonly HoldState[]): Promise<void> {
  const result = await updateHolds(
    tx,
    holds.map(({ tenantId }) => tenantId),
    holds.map(({ holdId }) => holdId),
    holds.map(({ amount }) => amount),
    holds.map(({ postedAmount }) => postedAmount),
    holds.map(({ releasedAmount }) => releasedAmount),
    holds.map(({ status }) => status),
    holds.map(({ version }) => version),
    holds.map(({ eventSequence }) => eventSequence),
  )
  expectCount('holds', result, holds.length)
}

const updateHolds = statement(`
  update ledger.holds h
  set amount = u.amount, posted_amount = u.posted_amount, released_amount = u.released_amount,
      status = u.status, version = u.version, event_sequence = u.event_sequence
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
              $7::int[], $8::int[])
    as u (tenant_id, hold_id, amount, posted_amount, released_amount, status, version, event_sequence)
  where h.tenant_id = u.tenant_id and h.hold_id = u.hold_id and h.status = 'pending'`)
