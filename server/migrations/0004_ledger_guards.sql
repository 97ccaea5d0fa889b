-- why: the database has the last word: transactions balance, are whole and are never added to; history is never rewritten
-- lock: triggers on new tables
-- rollout: with 0003; an engine without triggers may leave this file out
set local lock_timeout = '3s';

create function ledger.check_new_entries() returns trigger language plpgsql
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  if exists (select 1 from new_entries group by tenant_id, transaction_id, currency having sum(amount) <> 0) then
    raise exception 'entries_zero_sum: a transaction does not balance' using errcode = '23514';
  end if;
  -- Whole, and written with its own header: otherwise a balanced pair could be appended to yesterday's transaction.
  if exists (
    select 1 from (select tenant_id, transaction_id, count(*) as entries from new_entries group by 1, 2) g
      left join ledger.transactions t using (tenant_id, transaction_id)
     where t.entry_count is distinct from g.entries or t.xmin <> pg_current_xact_id()::xid
  ) then
    raise exception 'entries_complete: entries without their own whole transaction' using errcode = '23514';
  end if;
  if exists (
    select 1 from (select distinct tenant_id, account_id, currency from new_entries) g
      left join ledger.balances b using (tenant_id, account_id)
     where b.currency is distinct from g.currency
  ) then
    raise exception 'entries_currency: an entry is not in its account''s currency' using errcode = '23514';
  end if;
  return null;
end
$$;
create trigger check_new_entries after insert on ledger.entries
  referencing new table as new_entries for each statement execute function ledger.check_new_entries();

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is written once: % is refused', tg_table_schema || '.' || tg_table_name, tg_op using errcode = '42501';
end
$$;
create trigger written_once before update or delete or truncate on ledger.transactions
  for each statement execute function ledger.refuse_change();
create trigger written_once before update or delete or truncate on ledger.entries
  for each statement execute function ledger.refuse_change();
