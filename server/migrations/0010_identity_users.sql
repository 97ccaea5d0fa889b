-- why: people who sign in, customers and operators, with their passwords and second factors
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';

create table identity.users (
  tenant_id uuid not null references identity.tenants (tenant_id),
  user_id uuid not null,
  version integer not null,
  kind text collate "C" not null check (kind in ('customer', 'operator')),
  username text collate "C" not null,
  party_id uuid not null,
  display_name text not null,
  roles text[] not null default '{}',
  status text collate "C" not null default 'active' check (status in ('active', 'disabled')),
  created_by text collate "C" not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (tenant_id, user_id),
  unique (tenant_id, username)
);
create index users_party on identity.users (tenant_id, party_id);
grant select, insert, update on identity.users to countinghouse_app;

-- One row per factor: a password as PHC text, the secret of one-time codes under seal. A used
-- one-time code is one whose step is not above the last.
create table identity.credentials (
  tenant_id uuid not null,
  user_id uuid not null,
  kind text collate "C" not null check (kind in ('password', 'totp')),
  password_hash text check ((password_hash is not null) = (kind = 'password')),
  former_hashes text[] not null default '{}' check (cardinality(former_hashes) <= 4),
  sealed_secret bytea check ((sealed_secret is not null) = (kind = 'totp')),
  last_used_step bigint not null default 0,
  changed_at timestamptz(3) not null,
  primary key (tenant_id, user_id, kind),
  foreign key (tenant_id, user_id) references identity.users (tenant_id, user_id)
);
grant select, insert, update on identity.credentials to countinghouse_app;

-- Public keys of the authenticators that a user enrolled (WebAuthn): the private keys never leave them.
-- rp_id is the domain name that a passkey was made for; under another one it opens nothing.
create table identity.passkeys (
  tenant_id uuid not null,
  user_id uuid not null,
  passkey_id uuid not null,
  rp_id text collate "C" not null,
  credential_id bytea not null check (octet_length(credential_id) between 1 and 1023),
  public_key bytea not null,
  sign_count bigint not null check (sign_count >= 0),
  is_synced boolean not null,
  transports text[] not null default '{}',
  name text not null,
  created_at timestamptz(3) not null,
  last_used_at timestamptz(3),
  primary key (tenant_id, user_id, passkey_id),
  unique (tenant_id, credential_id),
  foreign key (tenant_id, user_id) references identity.users (tenant_id, user_id)
);
grant select, insert, update, delete on identity.passkeys to countinghouse_app;

-- How often somebody failed, by the hash of who and from where; shared by all nodes.
create table identity.login_attempts (
  tenant_id uuid not null,
  subject_hash bytea not null,
  failures integer not null,
  blocked_until timestamptz(3),
  forget_at timestamptz(3) not null,
  primary key (tenant_id, subject_hash)
);
create index login_attempts_expiry on identity.login_attempts (forget_at);
grant select, insert, update, delete on identity.login_attempts to countinghouse_app;
