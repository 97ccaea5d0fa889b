import { instants, jsons, plain, texts } from '../../platform/db/arrays.ts'
import { expectCount, statement } from '../../platform/db/statement.ts'
import { pipelined } from '../../platform/db/transaction.ts'
import type { TxOf } from '../../platform/db/types.ts'
import type { BalanceState } from './balance.ts'
import type { BookedTransaction, HoldState } from './posting.ts'

/** What the poster writes: one statement per table and batch, sent without waiting. */
type Tx = TxOf<'ledger'>

export function writeTransactions(tx: Tx, booked: readonly BookedTransaction[]): void {
  if (booked.length === 0) return
  pipelined(
    tx,
    insertTransactions(
      tx,
      plain(booked.map(({ tenantId }) => tenantId)),
      plain(booked.map(({ transactionId }) => transactionId)),
      texts(booked.map(({ type }) => type)),
      plain(booked.map(({ effectiveOn }) => effectiveOn)),
      plain(booked.map(({ bookedMicros }) => bookedMicros)),
      plain(booked.map(({ entries }) => entries.length)),
      plain(booked.map(({ currency }) => currency)),
      plain(booked.map(({ amount }) => amount)),
      plain(booked.map(({ correlationId }) => correlationId)),
      plain(booked.map(({ holdId }) => holdId)),
      plain(booked.map(({ reverses }) => reverses)),
      plain(booked.map(({ corrects }) => corrects)),
      texts(booked.map(({ externalId }) => externalId)),
      texts(booked.map(({ dedupeKey }) => dedupeKey)),
      texts(booked.map(({ description }) => description)),
      jsons(booked.map(({ metadata }) => metadata)),
    ),
  )
  // All entries in one statement, or the guard would see half a transaction.
  const entries = booked.flatMap((transaction) =>
    transaction.entries.map((entry) => ({ ...entry, transaction })),
  )
  pipelined(
    tx,
    insertEntries(
      tx,
      plain(entries.map(({ transaction }) => transaction.tenantId)),
      plain(entries.map(({ accountId }) => accountId)),
      plain(entries.map(({ transaction }) => transaction.bookedMicros)),
      plain(entries.map(({ seq }) => seq)),
      plain(entries.map(({ transaction }) => transaction.transactionId)),
      plain(entries.map(({ currency }) => currency)),
      plain(entries.map(({ amount }) => amount)),
      plain(entries.map(({ balanceAfter }) => balanceAfter)),
      plain(entries.map(({ transaction }) => transaction.effectiveOn)),
    ),
  )
}

const insertTransactions = statement(`
  insert into ledger.transactions
    (tenant_id, transaction_id, type, effective_on, booked_at, entry_count, currency, amount,
     correlation_id, hold_id, reverses_transaction_id, corrects_transaction_id, external_id, dedupe_key,
     description, metadata)
  select u.tenant_id, u.id, u.type, u.effective_on,
         'epoch'::timestamptz + u.booked_micros * interval '1 microsecond', u.entry_count, u.currency,
         u.amount, u.correlation_id, u.hold_id, u.reverses, u.corrects, u.external_id,
         u.dedupe_key, u.description, u.metadata
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::bigint[], $6::int[], $7::text[],
              $8::bigint[], $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[],
              $14::text[], $15::text[], $16::jsonb[])
    as u (tenant_id, id, type, effective_on, booked_micros, entry_count, currency, amount,
          correlation_id, hold_id, reverses, corrects, external_id, dedupe_key, description,
          metadata)`)

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
  const written = updateBalances(
    tx,
    plain(states.map(({ tenantId }) => tenantId)),
    plain(states.map(({ accountId }) => accountId)),
    plain(states.map(({ debitsPosted }) => debitsPosted)),
    plain(states.map(({ creditsPosted }) => creditsPosted)),
    plain(states.map(({ debitsPending }) => debitsPending)),
    plain(states.map(({ creditsPending }) => creditsPending)),
    plain(states.map(({ forcedFloor }) => forcedFloor)),
    plain(states.map(({ lastSeq }) => lastSeq)),
    plain(states.map(({ booked, lastBookedMicros }) => (booked ? bookedMicros : lastBookedMicros))),
    plain(states.map(({ readSeq }) => readSeq)),
  )
  pipelined(
    tx,
    written.then((result) => expectCount('balances', result, states.length)),
  )
}

const updateBalances = statement(`
  update ledger.balances b
  set debits_posted = u.debits_posted, credits_posted = u.credits_posted,
      debits_pending = u.debits_pending, credits_pending = u.credits_pending,
      forced_floor = u.forced_floor, last_seq = u.last_seq,
      last_booked_at = 'epoch'::timestamptz + u.booked_micros * interval '1 microsecond'
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
    as u (tenant_id, account_id, debits_posted, credits_posted, debits_pending, credits_pending,
          forced_floor, last_seq, booked_micros, read_seq)
  where b.tenant_id = u.tenant_id and b.account_id = u.account_id and b.last_seq = u.read_seq`)

export function writeHolds(tx: Tx, holds: readonly HoldState[]): void {
  const opened = holds.filter(({ isNew }) => isNew)
  const changed = holds.filter(({ isNew }) => !isNew)
  if (opened.length > 0) pipelined(tx, insertAll(tx, opened))
  if (changed.length > 0) pipelined(tx, updateAll(tx, changed))
}

async function insertAll(tx: Tx, holds: readonly HoldState[]): Promise<void> {
  await insertHolds(
    tx,
    plain(holds.map(({ tenantId }) => tenantId)),
    plain(holds.map(({ holdId }) => holdId)),
    plain(holds.map(({ debitAccountId }) => debitAccountId)),
    plain(holds.map(({ creditAccountId }) => creditAccountId)),
    plain(holds.map(({ currency }) => currency)),
    plain(holds.map(({ amount }) => amount)),
    plain(holds.map(({ postedAmount }) => postedAmount)),
    plain(holds.map(({ releasedAmount }) => releasedAmount)),
    plain(holds.map(({ status }) => status)),
    instants(holds.map(({ expiresAt }) => expiresAt)),
    plain(holds.map(({ correlationId }) => correlationId)),
    texts(holds.map(({ description }) => description)),
    jsons(holds.map(({ metadata }) => metadata)),
    plain(holds.map(({ version }) => version)),
    plain(holds.map(({ eventSequence }) => eventSequence)),
    instants(holds.map(({ createdAt }) => createdAt)),
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
    plain(holds.map(({ tenantId }) => tenantId)),
    plain(holds.map(({ holdId }) => holdId)),
    plain(holds.map(({ amount }) => amount)),
    plain(holds.map(({ postedAmount }) => postedAmount)),
    plain(holds.map(({ releasedAmount }) => releasedAmount)),
    plain(holds.map(({ status }) => status)),
    plain(holds.map(({ version }) => version)),
    plain(holds.map(({ eventSequence }) => eventSequence)),
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
