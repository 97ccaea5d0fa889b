import type { Client } from 'pg'
import { internalId, publicId } from '../../src/platform/ids.ts'
import type { Specimen } from './load.ts'

/** Makes one book payment over HTTP and reads back what the service wrote for it. */
export async function takeSpecimen(
  { port, token, client }: { port: number; token: string; client: Client },
  { tenantId, accountIds }: { tenantId: string; accountIds: readonly string[] },
): Promise<Specimen> {
  const [source, recipient] = accountIds.slice(-2).map((id) => publicId('acc', id))
  const response = await fetch(`http://127.0.0.1:${port}/payments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': 'specimen',
    },
    body: JSON.stringify({
      amount: 125,
      currency: 'EUR',
      payment_method: { type: 'book' },
      source: { account_id: source },
      recipient: { type: 'account', account_id: recipient },
      description: 'Invoice 4711',
    }),
  })
  const responseBody = await response.text()
  if (response.status !== 201) throw new Error(`no payment: ${response.status} ${responseBody}`)
  const made = JSON.parse(responseBody) as { id: string; ledger_transaction_ids: string[] }
  const objects = [
    internalId('pay', made.id),
    ...made.ledger_transaction_ids.map((id) => internalId('txn', id)),
  ]
  const events = await client.query<Specimen['events'][number]>(
    `select type, object_kind, sequence, data from platform.events
     where tenant_id = $1 and object_id = any($2::uuid[]) order by id`,
    [tenantId, objects],
  )
  const acts = await client.query<{ principal: string; detail: string; sequence: number }>(
    `select k.principal, a.detail::text, p.event_sequence as sequence from platform.idempotency_keys k
     join payments.payments p on p.tenant_id = k.tenant_id and p.id = k.object_id
     join audit.events a on a.tenant_id = k.tenant_id and a.resource_id = k.object_id
     where k.tenant_id = $1 and k.key = 'specimen'`,
    [tenantId],
  )
  const [act] = acts.rows
  if (act === undefined || acts.rows.length > 1) throw new Error('not one audit row for a payment')
  return {
    tenantId,
    principal: act.principal,
    paymentId: made.id,
    eventSequence: act.sequence,
    responseBody,
    auditDetail: act.detail,
    events: events.rows,
  }
}
