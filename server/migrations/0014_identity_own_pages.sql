-- why: a person or a client that is kept out takes codes, refresh tokens and sessions along, and those are sealed: whose they are must stand beside them
-- lock: two nullable columns, which rewrite nothing; two partial indexes over a table of short-lived rows
-- rollout: before the code that writes them; rows from before have neither and end with their time
set local lock_timeout = '3s';

alter table identity.artifacts
  add column subject_hash bytea,
  add column client_id text collate "C";
create index artifacts_subject on identity.artifacts (subject_hash) where subject_hash is not null;
create index artifacts_client on identity.artifacts (tenant_id, client_id) where client_id is not null;
