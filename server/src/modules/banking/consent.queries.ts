import { type Selectable, sql } from 'kysely'
import { expectCount, statement } from '../../platform/db/statement.ts'
import type { DB, TxOf } from '../../platform/db/types.ts'
import type { Page } from '../../platform/page.ts'
import type { ConsentState } from './consent.states.ts'

type Tx = TxOf<'banking'>

/** The one payment that a consent is for. */
export interface BoundPayment {
  readonly from_account_id: string
  readonly to_account_id: string
  /** Decimal text: JSON in the database, bigint where it is compared. */
  readonly amount: string
  readonly currency: string
  readonly reference: string | null
}

interface Narrow {
  state: ConsentState
  client_profile: 'standard' | 'fapi2'
  payment: BoundPayment | null
}
export type ConsentRow = Omit<Selectable<DB['banking.consents']>, keyof Narrow> & Narrow

/** A grant of one tenant. */
export interface GrantPair {
  readonly tenantId: string
  readonly grantId: string
}

export async function insertConsents(tx: Tx, rows: readonly ConsentRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx
    .insertInto('banking.consents')
    .values(
      rows.map(({ tenant_id, payment, ...row }) => ({
        tenant_id,
        ...row,
        payment: payment === null ? null : JSON.stringify(payment),
      })),
    )
    .execute()
}

/**
 * Locks the consents of these grants in the order given: sorted by tenant and grant, as every other
 * lock of several consents is. Whoever withdraws one waits here for the transfers under way.
 */
export async function lockConsentsOfGrants(
  tx: Tx,
  sorted: readonly GrantPair[],
): Promise<ConsentRow[]> {
  const { rows } = await selectOfGrantsForUpdate(
    tx,
    sorted.map(({ tenantId }) => tenantId),
    sorted.map(({ grantId }) => grantId),
  )
  return rows
}

const selectOfGrantsForUpdate = statement<ConsentRow>(`
  select c.* from unnest($1::uuid[], $2::text[]) with ordinality as u (tenant_id, grant_id, o)
  cross join lateral (
    select * from banking.consents k
    where k.tenant_id = u.tenant_id and k.grant_id = u.grant_id for update
  ) c`)

/** Locks consents of one tenant by id or by grant, in the same order: those without a grant last. */
export async function lockConsents(
  tx: Tx,
  tenantId: string,
  {
    ids,
    grantIds = [],
  }: { readonly ids: readonly string[]; readonly grantIds?: readonly string[] },
): Promise<ConsentRow[]> {
  return (await selectForUpdate(tx, tenantId, ids, grantIds)).rows
}

const selectForUpdate = statement<ConsentRow>(`
  select * from banking.consents
  where tenant_id = $1 and (id = any($2::uuid[]) or grant_id = any($3::text[]))
  order by grant_id nulls last, id for update`)

/** Locks what these people gave, or these clients hold or asked for, and has not ended. */
export async function lockConsentsOfParties(
  tx: Tx,
  tenantId: string,
  {
    userIds,
    clientIds,
  }: { readonly userIds: readonly string[]; readonly clientIds: readonly string[] },
): Promise<ConsentRow[]> {
  return (await selectOfPartiesForUpdate(tx, tenantId, userIds, clientIds)).rows
}

const selectOfPartiesForUpdate = statement<ConsentRow>(`
  select * from banking.consents
  where tenant_id = $1 and (user_id = any($2::text[]) or client_id = any($3::text[]))
    and state in ('awaiting_authorisation', 'authorised')
  order by grant_id nulls last, id for update`)

/** Writes what may change in a consent; its row must be locked. */
export async function updateConsents(tx: Tx, rows: readonly ConsentRow[]): Promise<void> {
  if (rows.length === 0) return
  const written = await writeConsents(
    tx,
    rows.map((row) => row.tenant_id),
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    rows.map((row) => row.event_sequence),
    rows.map((row) => row.state),
    rows.map((row) => row.revoked_at),
    rows.map((row) => row.revoked_by),
    rows.map((row) => row.last_used_at),
  )
  expectCount('consents', written, rows.length)
}

const writeConsents = statement(`
  update banking.consents as c
  set version = u.version, event_sequence = u.event_sequence, state = u.state,
      revoked_at = u.revoked_at, revoked_by = u.revoked_by, last_used_at = u.last_used_at
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::timestamptz[],
              $7::text[], $8::timestamptz[])
    as u (tenant_id, id, version, event_sequence, state, revoked_at, revoked_by, last_used_at)
  where c.tenant_id = u.tenant_id and c.id = u.id and c.version = u.version - 1`)

/** Writes the customer's answer to a consent that an app had asked for before. */
export async function updateAnswered(tx: Tx, row: ConsentRow): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('banking.consents')
    .set({
      version: row.version,
      event_sequence: row.event_sequence,
      state: row.state,
      client_profile: row.client_profile,
      user_id: row.user_id,
      party_id: row.party_id,
      grant_id: row.grant_id,
      permissions: row.permissions,
      account_ids: row.account_ids,
      authorised_at: row.authorised_at,
    })
    .where('tenant_id', '=', row.tenant_id)
    .where('id', '=', row.id)
    .executeTakeFirst()
  expectCount('consents', { count: Number(numUpdatedRows) }, 1)
}

export async function findConsent(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<ConsentRow | undefined> {
  return await consents(tx, tenantId).where('id', '=', id).executeTakeFirst()
}

export interface ConsentFilters {
  readonly clientId?: string
  readonly userId?: string
  /** Also those that nobody has answered yet. */
  readonly orUnanswered?: boolean
}

/** One more than the page holds, in order of creation. */
export async function listConsents(
  tx: Tx,
  tenantId: string,
  { clientId, userId, orUnanswered = false }: ConsentFilters,
  { limit, order, after }: Page,
): Promise<ConsentRow[]> {
  let query = consents(tx, tenantId)
    .orderBy('id', order)
    .limit(limit + 1)
  if (clientId !== undefined) query = query.where('client_id', '=', clientId)
  if (userId !== undefined) {
    query = orUnanswered
      ? query.where(sql<boolean>`(user_id = ${userId} or user_id is null)`)
      : query.where('user_id', '=', userId)
  }
  const [last] = after ?? []
  if (last !== undefined) query = query.where('id', order === 'asc' ? '>' : '<', last)
  return await query.execute()
}

/** The consents of a person for a client that stand, newest first. */
export async function listLiveConsents(
  tx: Tx,
  tenantId: string,
  { clientId, ...whose }: LiveQuestion & { readonly clientId: string },
): Promise<ConsentRow[]> {
  return await standing(tx, tenantId, whose).where('client_id', '=', clientId).limit(50).execute()
}

/** The consents of a person for all apps that stand, newest first. */
export async function listStandingConsents(
  tx: Tx,
  tenantId: string,
  whose: LiveQuestion,
): Promise<ConsentRow[]> {
  return await standing(tx, tenantId, whose).limit(MAX_STANDING).execute()
}

const MAX_STANDING = 500 // a page that still loads; nobody has agreed to so many

function standing(tx: Tx, tenantId: string, { partyId, userId, now }: LiveQuestion) {
  return consents(tx, tenantId)
    .where('party_id', '=', partyId)
    .where('user_id', '=', userId)
    .where('state', '=', 'authorised')
    .where('valid_until', '>', now)
    .orderBy('id', 'desc')
}

export interface LiveQuestion {
  readonly partyId: string
  readonly userId: string
  readonly now: Date
}

function consents(tx: Tx, tenantId: string) {
  return tx
    .selectFrom('banking.consents')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$castTo<ConsentRow>()
}
