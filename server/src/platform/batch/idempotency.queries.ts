import { statement } from '../db/statement.ts'
import type { Tx } from '../db/types.ts'

/** What identifies one operation of one principal, and what it asked. */
export interface IdempotencyTicket {
  readonly principal: string
  readonly key: string
  /** Hex of the keyed hash over method, route, parameters, query and body. */
  readonly fingerprint: string
  /** The object to be made, or the one in the path. */
  readonly objectId: string | null
}

export interface KeyedRequest extends IdempotencyTicket {
  readonly tenantId: string
  readonly at: Date
}

export interface KeyRow {
  readonly tenant_id: string
  readonly principal: string
  readonly key: string
  readonly fingerprint: string
  readonly object_id: string | null
  /** True when this very transaction claimed the key. */
  readonly mine: boolean
  readonly status: number | null
  readonly location: string | null
  readonly body: string | null
}

/** Claims keys in sorted order; two batches that claim in opposite order would deadlock. */
export async function claimKeys(tx: Tx, requests: readonly KeyedRequest[]): Promise<number> {
  const { count } = await insertKeys(
    tx,
    requests.map(({ tenantId }) => tenantId),
    requests.map(({ principal }) => principal),
    requests.map(({ key }) => key),
    requests.map(({ fingerprint }) => fingerprint),
    requests.map(({ objectId }) => objectId),
    requests.map(({ at }) => at),
  )
  return count
}

const insertKeys = statement(`
  insert into platform.idempotency_keys (tenant_id, principal, key, fingerprint, object_id, created_at)
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::timestamptz[])
  on conflict do nothing`)

/** The rows of these keys, with the answers given. Read after a claim that missed some. */
export async function findKeys(tx: Tx, requests: readonly KeyedRequest[]): Promise<KeyRow[]> {
  const { rows } = await selectKeys(
    tx,
    requests.map(({ tenantId }) => tenantId),
    requests.map(({ principal }) => principal),
    requests.map(({ key }) => key),
  )
  return rows
}

const selectKeys = statement<KeyRow>(`
  select k.tenant_id, k.principal, k.key, encode(k.fingerprint, 'hex') as fingerprint, k.object_id,
         k.xmin = pg_current_xact_id()::xid as mine, r.status, r.location, r.body
  from unnest($1::uuid[], $2::text[], $3::text[]) as u (tenant_id, principal, key)
  cross join lateral (
    select i.*, i.xmin from platform.idempotency_keys i
    where i.tenant_id = u.tenant_id and i.principal = u.principal and i.key = u.key
  ) k
  left join lateral (
    select a.status, a.location, a.body from platform.idempotency_responses a
    where a.tenant_id = k.tenant_id and a.principal = k.principal and a.key = k.key
      and a.created_at = k.created_at
  ) r on true`)

export interface ResponseRow extends KeyedRequest {
  readonly status: number
  readonly apiVersion: string
  readonly location: string | null
  readonly body: string
}

export function insertResponses(tx: Tx, rows: readonly ResponseRow[]): void {
  insertAnswers.send(
    tx,
    rows.map(({ tenantId }) => tenantId),
    rows.map(({ principal }) => principal),
    rows.map(({ key }) => key),
    rows.map(({ at }) => at),
    rows.map(({ status }) => status),
    rows.map(({ apiVersion }) => apiVersion),
    rows.map(({ location }) => location),
    rows.map(({ body }) => body),
  )
}

const insertAnswers = statement(`
  insert into platform.idempotency_responses
    (tenant_id, principal, key, created_at, status, api_version, location, body)
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::smallint[],
                       $6::date[], $7::text[], $8::text[])`)
