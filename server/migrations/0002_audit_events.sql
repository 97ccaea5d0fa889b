-- why: who did what to which object, from where and with what outcome; written with the change itself, never changed
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';

create schema audit;
grant usage on schema audit to countinghouse_app;

create table audit.events (
  tenant_id uuid not null,
  at timestamptz(3) not null,
  id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  actor_kind text collate "C" not null,
  actor_id text collate "C" not null,
  action text collate "C" not null,
  outcome text collate "C" not null check (outcome in ('success', 'refused', 'error')),
  reason text,
  resource_kind text collate "C" not null,
  resource_id uuid not null,
  origin text not null,
  request_id text,
  detail jsonb,
  primary key (tenant_id, at, id)
) partition by range (at);
create table audit.events_default partition of audit.events default;
grant select, insert on audit.events to countinghouse_app;

create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is written once: % is refused', tg_table_schema || '.' || tg_table_name, tg_op using errcode = '42501';
end
$$;
create trigger written_once before update or delete or truncate on audit.events
  for each statement execute function audit.refuse_change();
