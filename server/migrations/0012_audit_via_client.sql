-- why: an act of a person names the program that it came through
-- lock: new objects only
-- rollout: before the code that writes it
set local lock_timeout = '3s';
