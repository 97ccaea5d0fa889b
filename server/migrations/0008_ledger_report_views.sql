-- why: reporting reads what other modules own only through views that they publish; these are the ledger's
-- lock: new views and a function only
-- rollout: before the code that reads them
set local lock_timeout = '3s';

create view ledger.report_transactions as
  select t.tenant_id, t.transaction_id, t.type, t.effective_on, t.booked_at, t.entry_count, t.currency, t.amount,
         t.correlation_id, t.reverses_transaction_id, t.external_id, t.description, t.metadata,
         (select r.transaction_id from ledger.transactions r
           where r.tenant_id = t.tenant_id and r.reverses_transaction_id = t.transaction_id) as reversed_by_transaction_id
    from ledger.transactions t;
grant select on ledger.report_transactions to countinghouse_app;

-- Debit > 0, credit < 0; the balance as seen from the account's normal side. A scalar subquery, so that
-- a reader who does not ask for the balance does not pay for it.
create view ledger.report_entries as
  select e.tenant_id, e.account_id, e.booked_at, e.seq, e.transaction_id, e.currency, e.amount,
         (select case b.normal_side when 'debit' then e.balance_after else -e.balance_after end
            from ledger.balances b where b.tenant_id = e.tenant_id and b.account_id = e.account_id) as balance_after
    from ledger.entries e;
grant select on ledger.report_entries to countinghouse_app;

-- Since when somebody is writing, or waits to: now, when nobody is. Runs as the owner, who may see since
-- when other sessions are at work. Of a session that even the owner may not see, a minute is assumed: no
-- command of the service holds a transaction so long.
create function ledger.report_horizon() returns timestamptz
  language sql volatile security definer set search_path = pg_catalog as $$
  select least(clock_timestamp(), min(coalesce(a.xact_start, clock_timestamp() - interval '1 minute')))
    from pg_stat_activity a
   where a.datname = current_database() and a.pid <> pg_backend_pid()
     and a.backend_type is distinct from 'autovacuum worker'
     and (a.backend_xid is not null or a.wait_event_type = 'Lock')
$$;
revoke execute on function ledger.report_horizon from public;
grant execute on function ledger.report_horizon to countinghouse_app;
