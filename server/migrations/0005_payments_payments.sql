-- why: payments, the attempts that carry them to a gateway, captures and refunds
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';

create schema payments;
grant usage on schema payments to countinghouse_app;

create table payments.payments (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  event_sequence integer not null,
  state text collate "C" not null check (state in ('pending', 'processing', 'authorized', 'needs_review', 'completed', 'failed', 'canceled')),
  status text collate "C" not null generated always as (
    case
      when state = 'completed' and amount_refunded >= amount_captured then 'refunded'
      when state = 'completed' and amount_refunded > 0 then 'partially_refunded'
      else state
    end) stored,
  payment_type text collate "C" not null check (payment_type in ('card', 'book')),
  direction text collate "C" not null check (direction in ('inbound', 'outbound', 'internal')),
  amount bigint not null check (amount > 0),
  currency text collate "C" not null check (length(currency) = 3),
  amount_authorized bigint not null default 0,
  amount_captured bigint not null default 0,
  capture_reserved bigint not null default 0,
  amount_refunded bigint not null default 0,
  refund_reserved bigint not null default 0,
  capture_closing boolean not null default false,
  capture_method text collate "C" not null check (capture_method in ('automatic', 'manual')),
  payment_method jsonb not null,
  recipient_account_id uuid not null,
  source_account_id uuid,
  gateway_id text collate "C",
  description text,
  statement_descriptor text,
  external_id text collate "C",
  metadata jsonb not null,
  failure jsonb,
  review_reason text collate "C",
  cancellation_reason text,
  authorization_expires_at timestamptz(3),
  charge_attempt_id uuid,
  ledger_transaction_ids uuid[] not null default '{}',
  attempt_count integer not null default 0,
  latest_attempt_id uuid,
  created_by text collate "C" not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  completed_at timestamptz(3),
  due_at timestamptz(3),
  lease_until timestamptz,
  lease_no bigint not null default 0,
  claims smallint not null default 0,
  primary key (tenant_id, id),
  constraint capture_within_authorized check (amount_captured + capture_reserved <= amount_authorized and amount_authorized <= amount),
  constraint refund_within_capture check (amount_refunded + refund_reserved <= amount_captured),
  constraint amounts_not_negative check (amount_authorized >= 0 and amount_captured >= 0 and capture_reserved >= 0 and amount_refunded >= 0 and refund_reserved >= 0)
) with (fillfactor = 80);
comment on column payments.payments.capture_closing is 'a final capture or a void is on its way: nothing else may be captured';
create unique index payments_external_id on payments.payments (tenant_id, external_id) where external_id is not null;
create index payments_due on payments.payments (tenant_id, due_at, id) where due_at is not null;
-- Most payments are completed and are found by walking the primary key; what an operator looks for is rare.
create index payments_uncommon_status on payments.payments (tenant_id, status, id) where status <> 'completed';
grant select, insert, update on payments.payments to countinghouse_app;

create table payments.captures (
  tenant_id uuid not null,
  id uuid not null,
  payment_id uuid not null,
  version integer not null,
  amount bigint not null check (amount > 0),
  currency text collate "C" not null,
  final boolean not null,
  status text collate "C" not null check (status in ('pending', 'processing', 'completed', 'failed', 'needs_review')),
  failure jsonb,
  created_by text collate "C" not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, payment_id) references payments.payments (tenant_id, id)
) with (fillfactor = 80);
create index captures_payment on payments.captures (tenant_id, payment_id, id);
grant select, insert, update on payments.captures to countinghouse_app;

create table payments.refunds (
  tenant_id uuid not null,
  id uuid not null,
  payment_id uuid not null,
  version integer not null,
  event_sequence integer not null,
  amount bigint not null check (amount > 0),
  currency text collate "C" not null,
  reason text collate "C" not null check (reason in ('requested_by_customer', 'duplicate', 'fraudulent', 'other')),
  status text collate "C" not null check (status in ('pending', 'processing', 'completed', 'failed', 'canceled', 'needs_review')),
  external_id text collate "C",
  description text,
  metadata jsonb not null,
  failure jsonb,
  ledger_transaction_ids uuid[] not null default '{}',
  latest_attempt_id uuid,
  created_by text collate "C" not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  completed_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, payment_id) references payments.payments (tenant_id, id)
) with (fillfactor = 80);
create index refunds_payment on payments.refunds (tenant_id, payment_id, id);
create unique index refunds_external_id on payments.refunds (tenant_id, external_id) where external_id is not null;
grant select, insert, update on payments.refunds to countinghouse_app;

-- One try to move money at a gateway. Its id is the key the gateway knows it by.
create table payments.attempts (
  tenant_id uuid not null,
  id uuid not null,
  payment_id uuid not null,
  subject_kind text collate "C" not null check (subject_kind in ('payment', 'capture', 'refund', 'void')),
  subject_id uuid not null,
  operation text collate "C" not null check (operation in ('sale', 'authorize', 'capture', 'void', 'refund')),
  gateway_id text collate "C" not null,
  attempt_no integer not null,
  status text collate "C" not null check (status in ('created', 'sending', 'succeeded', 'pending', 'declined', 'not_sent', 'unknown')),
  amount bigint not null check (amount > 0),
  currency text collate "C" not null,
  instrument jsonb,
  parent_attempt_id uuid,
  final boolean,
  gateway_reference text,
  echoed_amount bigint,
  echoed_currency text collate "C",
  failure jsonb,
  cause text,
  sends integer not null default 0,
  inquiry_count integer not null default 0,
  sent_at timestamptz(3),
  answered_at timestamptz(3),
  created_at timestamptz(3) not null,
  closed_at timestamptz(3),
  due_at timestamptz(3),
  lease_until timestamptz,
  lease_no bigint not null default 0,
  claims smallint not null default 0,
  primary key (tenant_id, id),
  foreign key (tenant_id, payment_id) references payments.payments (tenant_id, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
create index attempts_payment on payments.attempts (tenant_id, payment_id, id);
create unique index attempts_one_open on payments.attempts (tenant_id, subject_id) where closed_at is null;
create index attempts_due on payments.attempts (tenant_id, due_at, id) where due_at is not null;
grant select, insert, update on payments.attempts to countinghouse_app;
