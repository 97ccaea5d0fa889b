-- why: one role for the service that owns nothing, the cluster's epoch, and what every command writes: idempotency rows and events
-- lock: new objects only
-- rollout: first migration
set local lock_timeout = '3s';

do $$
begin
  create role countinghouse_app nologin;
exception
  when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
  execute format('grant countinghouse_app to %I', current_user);
exception
  when others then null; -- a member already, or a superuser who needs no grant
end
$$;

create schema platform;
grant usage on schema platform to countinghouse_app;

-- Raised after a restore or a lossy failover: transaction ids start anew there, and old feed positions must not point past new events.
create table platform.cluster (
  only_row boolean primary key default true check (only_row),
  epoch smallint not null default 1
);
insert into platform.cluster default values;
grant select on platform.cluster to countinghouse_app;

-- One row per operation asked for, kept as long as the object it made. Insert only.
create table platform.idempotency_keys (
  tenant_id uuid not null,
  principal text collate "C" not null,
  key text collate "C" not null,
  fingerprint bytea not null,
  object_id uuid,
  created_at timestamptz(3) not null,
  primary key (tenant_id, principal, key)
);
grant select, insert on platform.idempotency_keys to countinghouse_app;

-- The exact answer, kept for the retention time. Apart from the keys, since a partitioned table would end their uniqueness at the month's end.
create table platform.idempotency_responses (
  tenant_id uuid not null,
  principal text collate "C" not null,
  key text collate "C" not null,
  created_at timestamptz(3) not null,
  status smallint not null,
  api_version date not null,
  location text,
  body text not null,
  primary key (tenant_id, principal, key, created_at)
) partition by range (created_at);
create table platform.idempotency_responses_default partition of platform.idempotency_responses default;
grant select, insert on platform.idempotency_responses to countinghouse_app;

create table platform.events (
  tenant_id uuid not null,
  id uuid not null,
  recorded_at timestamptz(3) not null default now(),
  epoch smallint not null,
  xid xid8 not null default pg_current_xact_id(),
  type text collate "C" not null,
  object_kind text collate "C" not null,
  object_id uuid not null,
  sequence integer not null check (sequence > 0),
  schema_version date not null,
  occurred_at timestamptz(3) not null,
  data text not null,
  request_id text,
  primary key (tenant_id, id, recorded_at)
) partition by range (recorded_at);
create table platform.events_default partition of platform.events default;
grant select, insert on platform.events to countinghouse_app;

-- Partitions are made by the service's role through this function, which runs as their owner.
create function platform.ensure_month_partitions(parent regclass, months_ahead integer) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  parent_schema text;
  parent_name text;
  first_day date;
begin
  perform pg_advisory_xact_lock(5240714); -- "if not exists" does not help two sessions that look at the same moment
  select n.nspname, c.relname into strict parent_schema, parent_name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.oid = parent and c.relkind = 'p' and n.nspname in ('platform', 'audit');
  -- Of two that ask at once the second waits, and finds the months made.
  execute format('lock table %I.%I in share update exclusive mode', parent_schema, parent_name);
  for ahead in 0..least(months_ahead, 24) loop
    first_day := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead))::date;
    execute format('create table if not exists %I.%I partition of %I.%I for values from (%L) to (%L)',
      parent_schema, parent_name || to_char(first_day, '"_y"YYYY"m"MM'), parent_schema, parent_name,
      first_day::timestamp at time zone 'UTC', (first_day + interval '1 month')::timestamp at time zone 'UTC');
  end loop;
end
$$;
revoke execute on function platform.ensure_month_partitions from public;
grant execute on function platform.ensure_month_partitions to countinghouse_app;
