-- why: an act of a person names the program that it came through
-- lock: adds a nullable column without a default: no rewrite
-- rollout: before the code that writes it
set local lock_timeout = '3s';

alter table audit.events add column via_client text collate "C";
