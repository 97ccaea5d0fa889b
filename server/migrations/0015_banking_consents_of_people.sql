-- why: when a person is kept out, all that he allowed ends in the same transaction
-- lock: share lock while the index of a young table is built
-- rollout: before the code that asks for it
set local lock_timeout = '3s';

create index consents_user on banking.consents (tenant_id, user_id) where user_id is not null;
