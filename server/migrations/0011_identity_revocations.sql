-- why: a grant, client, user or token that was taken back must be refused on every node within a second
-- lock: new table; one addition of nullable or constant columns to clients, which does not rewrite it
-- rollout: before the code that writes it
set local lock_timeout = '3s';

-- What the guard refuses although its signature is good. Small: a row goes once no token can be that old.
create table identity.revocations (
  tenant_id uuid not null references identity.tenants (tenant_id),
  kind text collate "C" not null check (kind in ('jti', 'grant', 'subject', 'client', 'tenant')),
  value text collate "C" not null,
  reason text not null,
  not_before timestamptz(3) not null,
  drop_after timestamptz(3) not null,
  xid xid8 not null default pg_current_xact_id(),
  primary key (tenant_id, kind, value)
);
create index revocations_xid on identity.revocations (xid);
create index revocations_drop on identity.revocations (drop_after);
grant select, insert, update, delete on identity.revocations to countinghouse_app;

alter table identity.clients
  add column security_profile text collate "C" not null default 'standard'
    check (security_profile in ('standard', 'fapi2')),
  add column jwks_uri text,
  add column post_logout_redirect_uris text[] not null default '{}',
  add column allowed_cors_origins text[] not null default '{}',
  add column authorization_details_types text[] not null default '{}',
  add column version integer not null default 1,
  add column created_by text collate "C" not null default 'sys:operator',
  add column updated_at timestamptz(3),
  add column last_used_at timestamptz(3),
  add constraint clients_one_source_of_keys check (jwks is null or jwks_uri is null);

-- A key that no token is signed by any more is destroyed.
grant delete on identity.signing_keys to countinghouse_app;
