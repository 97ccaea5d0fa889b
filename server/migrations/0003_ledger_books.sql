-- why: the double-entry ledger: chart, accounts, balances, transactions, entries and holds
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';

create schema ledger;
grant usage on schema ledger to countinghouse_app;

create table ledger.books (
  tenant_id uuid primary key,
  time_zone text not null,
  closed_through date not null default '1970-01-01'
);
grant select, insert on ledger.books to countinghouse_app;
grant update (closed_through) on ledger.books to countinghouse_app; -- also what a row lock asks for

create table ledger.chart_lines (
  tenant_id uuid not null,
  code text collate "C" not null,
  role text collate "C" not null,
  name text not null,
  type text collate "C" not null check (type in ('asset', 'liability', 'equity', 'income', 'expense')),
  normal_side text collate "C" not null check (normal_side in ('debit', 'credit')),
  parent_code text collate "C",
  postable boolean not null,
  clearing boolean not null,
  primary key (tenant_id, code),
  unique (tenant_id, role),
  foreign key (tenant_id, parent_code) references ledger.chart_lines (tenant_id, code)
);
grant select, insert on ledger.chart_lines to countinghouse_app;

-- The words of an account; its numbers are apart, since each posting writes a whole row version.
create table ledger.accounts (
  tenant_id uuid not null,
  account_id uuid not null,
  key text collate "C",
  chart_code text collate "C" not null,
  name text not null,
  external_id text collate "C",
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  primary key (tenant_id, account_id),
  foreign key (tenant_id, chart_code) references ledger.chart_lines (tenant_id, code)
);
create unique index accounts_key on ledger.accounts (tenant_id, key) where key is not null;
create unique index accounts_external_id on ledger.accounts (tenant_id, external_id) where external_id is not null;
create index accounts_chart on ledger.accounts (tenant_id, chart_code, account_id);
grant select, insert, update on ledger.accounts to countinghouse_app;

-- The hot row: fixed width and one index, so that updates stay on their page (HOT).
create table ledger.balances (
  tenant_id uuid not null,
  account_id uuid not null,
  currency text collate "C" not null check (length(currency) = 3),
  normal_side text collate "C" not null check (normal_side in ('debit', 'credit')),
  chart_role text collate "C" not null,
  status text collate "C" not null default 'open' check (status in ('open', 'closed')),
  blocked text collate "C" not null default 'none' check (blocked in ('none', 'outgoing', 'incoming', 'both')),
  min_available bigint,
  max_balance bigint,
  forced_floor bigint,
  debits_posted bigint not null default 0 check (debits_posted >= 0),
  credits_posted bigint not null default 0 check (credits_posted >= 0),
  debits_pending bigint not null default 0 check (debits_pending >= 0),
  credits_pending bigint not null default 0 check (credits_pending >= 0),
  last_seq bigint not null default 0,
  last_booked_at timestamptz not null default '1970-01-01Z',
  primary key (tenant_id, account_id),
  foreign key (tenant_id, account_id) references ledger.accounts (tenant_id, account_id),
  constraint available_floor check (
    min_available is null
    or case normal_side
         when 'credit' then credits_posted - debits_posted - debits_pending
         else debits_posted - credits_posted - credits_pending
       end >= least(min_available, coalesce(forced_floor, min_available))
  )
) with (fillfactor = 50);
grant select, insert, update on ledger.balances to countinghouse_app;

create table ledger.transactions (
  tenant_id uuid not null,
  transaction_id uuid not null,
  type text collate "C" not null,
  effective_on date not null,
  booked_at timestamptz not null,
  entry_count integer not null check (entry_count between 2 and 100),
  currency text collate "C" not null,
  amount bigint not null check (amount > 0),
  correlation_id uuid,
  hold_id uuid,
  reverses_transaction_id uuid,
  corrects_transaction_id uuid,
  external_id text collate "C",
  dedupe_key text collate "C",
  module text collate "C",
  description text,
  metadata jsonb not null default '{}',
  primary key (tenant_id, transaction_id)
);
comment on column ledger.transactions.amount is 'what is debited in the currency of the first entry, for lists and filters';
comment on column ledger.transactions.module is 'the module whose books this keeps; null: booked by a client';
create index transactions_correlation on ledger.transactions (tenant_id, correlation_id, transaction_id) where correlation_id is not null;
create unique index transactions_reverses on ledger.transactions (tenant_id, reverses_transaction_id) where reverses_transaction_id is not null;
create unique index transactions_external_id on ledger.transactions (tenant_id, external_id) where external_id is not null;
create unique index transactions_dedupe_key on ledger.transactions (tenant_id, dedupe_key) where dedupe_key is not null;
grant select, insert on ledger.transactions to countinghouse_app;

-- No foreign keys: the guard of the next migration proves more for less, and a key to an unlocked row would lock it in every batch.
create table ledger.entries (
  tenant_id uuid not null,
  account_id uuid not null,
  booked_at timestamptz not null,
  seq bigint not null check (seq > 0),
  transaction_id uuid not null,
  currency text collate "C" not null,
  amount bigint not null check (amount <> 0),
  balance_after bigint not null,
  effective_on date not null,
  primary key (tenant_id, account_id, booked_at, seq)
);
comment on column ledger.entries.amount is 'minor units; debit > 0, credit < 0';
create index entries_transaction on ledger.entries (tenant_id, transaction_id);
grant select, insert on ledger.entries to countinghouse_app;

create table ledger.holds (
  tenant_id uuid not null,
  hold_id uuid not null,
  debit_account_id uuid not null,
  credit_account_id uuid not null,
  currency text collate "C" not null,
  amount bigint not null check (amount > 0),
  posted_amount bigint not null default 0 check (posted_amount >= 0),
  released_amount bigint not null default 0 check (released_amount >= 0),
  status text collate "C" not null check (status in ('pending', 'posted', 'voided', 'expired')),
  expires_at timestamptz(3),
  correlation_id uuid,
  description text,
  metadata jsonb not null default '{}',
  version integer not null default 1,
  event_sequence integer not null default 1,
  created_at timestamptz(3) not null,
  primary key (tenant_id, hold_id),
  check (posted_amount + released_amount <= amount),
  check (status = 'pending' or posted_amount + released_amount = amount)
) with (fillfactor = 70);
create index holds_expiring on ledger.holds (tenant_id, expires_at, hold_id) where status = 'pending' and expires_at is not null;
create index holds_debit_account on ledger.holds (tenant_id, debit_account_id, hold_id);
create index holds_credit_account on ledger.holds (tenant_id, credit_account_id, hold_id);
create index holds_correlation on ledger.holds (tenant_id, correlation_id, hold_id) where correlation_id is not null;
grant select, insert, update on ledger.holds to countinghouse_app;
