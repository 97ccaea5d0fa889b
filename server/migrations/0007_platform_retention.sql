-- why: stored answers of idempotent requests are kept for some weeks; the service's role owns no table and cannot drop a month of them
-- lock: a new function only; when it runs, a short lock on the answers per dropped month, waited for 2 s at most
-- rollout: before the housekeeping job that calls it
set local lock_timeout = '3s';

-- Runs as the owner of the table. Answers how many months it dropped.
create function platform.drop_old_responses(keep_days integer) returns integer
  language plpgsql security definer set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  old regclass;
  dropped integer := 0;
begin
  if keep_days < 7 then
    raise exception 'answers are kept for 7 days at least, not %', keep_days using errcode = '22023';
  end if;
  for old in
    select c.oid
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'platform.idempotency_responses'::regclass
       and c.relname ~ '_y[0-9]{4}m[0-9]{2}$'
       and (to_date(right(c.relname, 8), '"y"YYYY"m"MM') + interval '1 month') at time zone 'UTC'
           <= now() - make_interval(days => keep_days)
  loop
    execute format('drop table %s', old);
    dropped := dropped + 1;
  end loop;
  delete from platform.idempotency_responses_default where created_at < now() - make_interval(days => keep_days);
  return dropped;
end
$$;
revoke execute on function platform.drop_old_responses from public;
grant execute on function platform.drop_old_responses to countinghouse_app;
