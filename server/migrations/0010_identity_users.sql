-- why: people who sign in, customers and operators, with their passwords and second factors
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';
