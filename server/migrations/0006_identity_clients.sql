-- why: tenants, the clients that act for them, and the keys that sign their tokens
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';

create schema identity;
grant usage on schema identity to countinghouse_app;

create table identity.tenants (
  tenant_id uuid primary key,
  name text not null,
  mode text collate "C" not null check (mode in ('sandbox', 'live')),
  created_at timestamptz(3) not null
);
grant select, insert, update on identity.tenants to countinghouse_app;

-- Found by client_id before a tenant is known: the client directory of the install.
create table identity.clients (
  client_id text collate "C" primary key,
  tenant_id uuid not null references identity.tenants (tenant_id),
  name text not null,
  kind text collate "C" not null check (kind in ('service', 'third_party', 'first_party')),
  secret_hashes text[] not null default '{}' check (cardinality(secret_hashes) <= 2),
  jwks jsonb,
  redirect_uris text[] not null default '{}',
  grant_types text[] not null,
  token_endpoint_auth_method text collate "C" not null,
  scope text not null check (scope <> ''),
  status text collate "C" not null default 'active' check (status in ('active', 'disabled')),
  created_at timestamptz(3) not null
);
create index clients_tenant on identity.clients (tenant_id, client_id);
grant select, insert, update on identity.clients to countinghouse_app;

-- What the authorization server remembers, by the hash of its id.
create table identity.artifacts (
  model text collate "C" not null,
  id_hash bytea not null,
  tenant_id uuid,
  payload jsonb not null,
  grant_id text collate "C",
  uid_hash bytea,
  expires_at timestamptz,
  consumed_at timestamptz,
  primary key (model, id_hash)
);
create index artifacts_grant on identity.artifacts (grant_id) where grant_id is not null;
create index artifacts_uid on identity.artifacts (model, uid_hash) where uid_hash is not null;
create index artifacts_expiry on identity.artifacts (expires_at);
grant select, insert, update, delete on identity.artifacts to countinghouse_app;

-- Assertions and proofs seen: each counts once.
create table identity.replays (
  id bytea primary key,
  expires_at timestamptz not null
);
create index replays_expiry on identity.replays (expires_at);
grant select, insert, delete on identity.replays to countinghouse_app;

create table identity.signing_keys (
  kid text collate "C" primary key,
  alg text collate "C" not null,
  public_jwk jsonb not null,
  sealed_private_jwk bytea not null,
  state text collate "C" not null check (state in ('pending', 'active', 'retired')),
  activate_at timestamptz(3) not null,
  retire_at timestamptz(3)
);
grant select, insert, update on identity.signing_keys to countinghouse_app;
