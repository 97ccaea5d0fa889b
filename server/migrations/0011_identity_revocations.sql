-- why: a grant, client, user or token that was taken back must be refused on every node within a second
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';
