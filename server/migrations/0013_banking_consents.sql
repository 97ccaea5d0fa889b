-- why: whose accounts are whose, what customers let apps do with them, and the transfers made so
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';

create schema banking;
grant usage on schema banking to countinghouse_app;

-- What the ledger does not know about an account. Its money and its name are there.
create table banking.accounts (
  tenant_id uuid not null,
  account_id uuid not null,
  type text collate "C" not null check (type in ('current', 'savings', 'operating')),
  number text collate "C" not null,
  created_at timestamptz(3) not null,
  primary key (tenant_id, account_id),
  foreign key (tenant_id, account_id) references ledger.accounts (tenant_id, account_id)
);
comment on column banking.accounts.number is 'as printed on statements; only its end is ever shown';
grant select, insert on banking.accounts to countinghouse_app;

create table banking.account_holders (
  tenant_id uuid not null,
  party_id uuid not null,
  account_id uuid not null,
  since timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (tenant_id, party_id, account_id),
  foreign key (tenant_id, account_id) references banking.accounts (tenant_id, account_id)
);
create index account_holders_account on banking.account_holders (tenant_id, account_id, party_id);
grant select, insert, update on banking.account_holders to countinghouse_app;

create table banking.consents (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  event_sequence integer not null,
  state text collate "C" not null check (state in ('awaiting_authorisation', 'authorised', 'revoked', 'rejected', 'consumed')),
  client_id text collate "C" not null,
  client_profile text collate "C" not null check (client_profile in ('standard', 'fapi2')),
  user_id text collate "C",
  party_id uuid,
  grant_id text collate "C",
  permissions text[] not null,
  account_ids uuid[] not null,
  max_amount bigint check (max_amount > 0),
  per_day bigint check (per_day > 0),
  per_month bigint check (per_month > 0),
  count_per_day integer check (count_per_day > 0),
  payment jsonb,
  valid_until timestamptz(3) not null,
  transactions_from timestamptz(3),
  transactions_to timestamptz(3),
  created_by text collate "C" not null,
  created_at timestamptz(3) not null,
  authorised_at timestamptz(3),
  revoked_at timestamptz(3),
  revoked_by text collate "C",
  last_used_at timestamptz(3),
  primary key (tenant_id, id),
  constraint authorised_by_somebody check (state not in ('authorised', 'consumed') or (user_id is not null and party_id is not null and grant_id is not null and authorised_at is not null))
) with (fillfactor = 80);
comment on column banking.consents.payment is 'the one payment that it is for, field by field; null: what the limits allow';
create unique index consents_grant on banking.consents (tenant_id, grant_id) where grant_id is not null;
create index consents_client on banking.consents (tenant_id, client_id, id);
create index consents_party on banking.consents (tenant_id, party_id, id) where party_id is not null;
grant select, insert, update on banking.consents to countinghouse_app;

-- How much of a limit is used up. Written under the lock of the consent.
create table banking.limit_counters (
  tenant_id uuid not null,
  consent_id uuid not null,
  currency text collate "C" not null check (length(currency) = 3),
  period text collate "C" not null check (period in ('day', 'month')),
  starts_on date not null,
  used_amount bigint not null check (used_amount >= 0),
  used_count integer not null check (used_count >= 0),
  primary key (tenant_id, consent_id, currency, period, starts_on),
  foreign key (tenant_id, consent_id) references banking.consents (tenant_id, id)
) with (fillfactor = 70);
grant select, insert, update on banking.limit_counters to countinghouse_app;

create table banking.beneficiaries (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  event_sequence integer not null,
  party_id uuid,
  name text not null,
  account_id uuid,
  iban text collate "C",
  currency text collate "C" not null check (length(currency) = 3),
  created_by text collate "C" not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  primary key (tenant_id, id),
  constraint one_target check (num_nonnulls(account_id, iban) = 1)
);
comment on column banking.beneficiaries.party_id is 'whose list it stands on; null: the list of the bank itself';
create index beneficiaries_party on banking.beneficiaries (tenant_id, party_id, id) where deleted_at is null;
grant select, insert, update on banking.beneficiaries to countinghouse_app;

create table banking.transfers (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  event_sequence integer not null,
  state text collate "C" not null check (state in ('pending', 'booked', 'cancelled')),
  from_account_id uuid not null,
  to_account_id uuid,
  beneficiary_id uuid,
  amount bigint not null check (amount > 0),
  currency text collate "C" not null check (length(currency) = 3),
  reference text,
  end_to_end_id text,
  metadata jsonb not null,
  transaction_id uuid,
  hold_id uuid,
  consent_id uuid,
  client_id text collate "C" not null,
  user_id text collate "C",
  counted_on date not null,
  created_at timestamptz(3) not null,
  booked_at timestamptz(3),
  cancelled_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, consent_id) references banking.consents (tenant_id, id),
  foreign key (tenant_id, beneficiary_id) references banking.beneficiaries (tenant_id, id),
  constraint booked_or_held check (num_nonnulls(transaction_id, hold_id) = 1 and (state = 'booked') = (booked_at is not null))
) with (fillfactor = 80);
comment on column banking.transfers.counted_on is 'the business day whose limits it used';
create index transfers_transaction on banking.transfers (tenant_id, transaction_id) where transaction_id is not null;
create index transfers_hold on banking.transfers (tenant_id, hold_id) where hold_id is not null;
grant select, insert, update on banking.transfers to countinghouse_app;
