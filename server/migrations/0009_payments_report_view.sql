-- why: the history of transactions shows the payment that each belongs to
-- lock: a new view only
-- rollout: before the code that reads it
set local lock_timeout = '3s';

create view payments.report_payments as
  select p.tenant_id, p.id as payment_id, p.status, p.external_id, p.description
    from payments.payments p;
grant select on payments.report_payments to countinghouse_app;
