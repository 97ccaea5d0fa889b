import { type RawBuilder, sql } from 'kysely'
import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'
import { hashOfId } from './artifact-id.ts'

/**
 * What the authorization server remembers, by the hash of its id, and the ids that count once.
 * Both are found before a tenant is known: named exceptions to "tenant first".
 */
type Tx = TxOf<'identity'>

export interface SealedPayload {
  /** Base64. */
  readonly sealed: string
}

export interface ArtifactRow {
  readonly payload: SealedPayload
  readonly id_hash: Buffer
  readonly tenant_id: string | null
  /** Null also for a refresh token that was used a moment ago. */
  readonly consumed_at: Date | null
}

export interface NewArtifact {
  readonly model: string
  readonly idHash: Buffer
  readonly uidHash: Buffer | null
  readonly payload: SealedPayload
  readonly clientId: string | null
  /** Of the person that it is about. */
  readonly subjectHash: Buffer | null
  readonly grantId: string | null
  readonly expiresAt: Date | null
}

export async function upsertArtifact(tx: Tx, artifact: NewArtifact): Promise<void> {
  const { model, idHash, uidHash, payload, clientId, subjectHash, grantId, expiresAt } = artifact
  await sql`
    insert into identity.artifacts
      (model, id_hash, tenant_id, client_id, subject_hash, payload, grant_id, uid_hash, expires_at)
    values (${model}, ${idHash}, (select tenant_id from identity.clients where client_id = ${clientId}),
            ${clientId}, ${subjectHash}, ${JSON.stringify(payload)}::jsonb, ${grantId}, ${uidHash},
            ${expiresAt})
    on conflict (model, id_hash) do update
    set payload = excluded.payload, subject_hash = excluded.subject_hash, grant_id = excluded.grant_id,
        uid_hash = excluded.uid_hash, expires_at = excluded.expires_at`.execute(tx)
}

/** Expired ones too: the caller says "expired" rather than "not found". */
export async function findArtifact(
  tx: Tx,
  model: string,
  idHash: Buffer,
): Promise<ArtifactRow | undefined> {
  return await find(tx, model, sql`id_hash = ${idHash}`)
}

export async function findArtifactByUid(
  tx: Tx,
  model: string,
  uidHash: Buffer,
): Promise<ArtifactRow | undefined> {
  return await find(tx, model, sql`uid_hash = ${uidHash}`)
}

/**
 * A refresh token sent twice within this time is a client's double submission, not a thief: one of
 * the two is refused and the grant lives. Shorter: a slow network ends grants. Longer: a thief has
 * that long to go unnoticed.
 */
const GRACE_S: Readonly<Record<string, number>> = { RefreshToken: 5 }

async function find(
  tx: Tx,
  model: string,
  condition: RawBuilder<unknown>,
): Promise<ArtifactRow | undefined> {
  const { rows } = await sql<ArtifactRow>`
    select payload, id_hash, tenant_id,
      case when consumed_at > now() - ${GRACE_S[model] ?? 0} * interval '1 second' then null
           else consumed_at end as consumed_at
    from identity.artifacts
    where model = ${model} and ${condition}`.execute(tx)
  return rows[0]
}

/** True for exactly one of any number of callers. */
export async function consumeArtifact(tx: Tx, model: string, idHash: Buffer): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update identity.artifacts set consumed_at = now()
    where model = ${model} and id_hash = ${idHash} and consumed_at is null`.execute(tx)
  return numAffectedRows === 1n
}

/** Undoes `consumeArtifact` for a try that came to nothing. */
export async function restoreArtifact(tx: Tx, model: string, idHash: Buffer): Promise<void> {
  await sql`
    update identity.artifacts set consumed_at = null
    where model = ${model} and id_hash = ${idHash}`.execute(tx)
}

/** Whose a grant is; undefined: it has ended. */
export async function tenantOfGrant(tx: Tx, idHash: Buffer): Promise<string | undefined> {
  const { rows } = await sql<{ tenant_id: string }>`
    select tenant_id from identity.artifacts
    where model = 'Grant' and id_hash = ${idHash}`.execute(tx)
  return rows[0]?.tenant_id
}

/** True for exactly one of any number of callers that go on to delete it. */
export async function lockGrant(tx: Tx, idHash: Buffer): Promise<boolean> {
  const { rows } = await sql`
    select 1 from identity.artifacts
    where model = 'Grant' and id_hash = ${idHash} for update`.execute(tx)
  return rows.length === 1
}

export async function deleteArtifact(tx: Tx, model: string, idHash: Buffer): Promise<void> {
  await sql`delete from identity.artifacts where model = ${model} and id_hash = ${idHash}`.execute(
    tx,
  )
}

/** The grants themselves, by the hashes of their ids, and all that was issued under them. */
export async function deleteGrants(
  tx: Tx,
  grants: readonly { readonly grantId: string; readonly idHash: Buffer }[],
): Promise<void> {
  const ids = grants.map(({ grantId }) => grantId)
  const hashes = grants.map(({ idHash }) => idHash.toString('hex'))
  await deleteGrantRows(tx, hashes)
  await deleteIssuedRows(tx, ids)
}

// In the order of their ids: the grants of our own console have no consent whose lock comes first.
const deleteGrantRows = statement(`
  delete from identity.artifacts where model = 'Grant' and id_hash in (
    select id_hash from identity.artifacts
    where model = 'Grant' and id_hash = any($1::bytea[]) order by id_hash for update)`)
const deleteIssuedRows = statement(`
  delete from identity.artifacts where grant_id = any($1::text[])`)

/** Whose artifacts go: of these people, and of these clients. */
export interface ArtifactOwners {
  readonly tenantId: string
  /** `usr_…` */
  readonly userIds: readonly string[]
  readonly clientIds: readonly string[]
}

/** Grants first, as whoever ends a single one does; then codes, refresh tokens, requests, sessions. */
export async function deleteArtifactsOf(
  tx: Tx,
  { tenantId, userIds, clientIds }: ArtifactOwners,
): Promise<void> {
  const subjects = userIds.map(hexOfId)
  await deleteOwnedGrants(tx, tenantId, subjects, clientIds)
  await deleteOwned(tx, tenantId, subjects, clientIds)
}

const OWNED = `(subject_hash = any(select decode(unnest($2::text[]), 'hex'))
    or (tenant_id = $1::uuid and client_id = any($3::text[])))`
const deleteOwnedGrants = statement(`
  delete from identity.artifacts where model = 'Grant' and id_hash in (
    select id_hash from identity.artifacts
    where model = 'Grant' and ${OWNED} order by id_hash for update)`)
const deleteOwned = statement(`delete from identity.artifacts where ${OWNED}`)

/** Where these people (`usr_…`) are signed in: at the authorization pages and at their own. */
export async function deleteSessionsOf(tx: Tx, userIds: readonly string[]): Promise<void> {
  await deleteSessions(tx, userIds.map(hexOfId))
}

function hexOfId(id: string): string {
  return hashOfId(id).toString('hex')
}

const deleteSessions = statement(`
  delete from identity.artifacts
  where subject_hash = any(select decode(unnest($1::text[]), 'hex'))
    and model in ('Session', 'AccountSession')`)

/** True for exactly one of any number of callers, on any node. */
export async function insertReplay(tx: Tx, id: Buffer, expiresAt: Date): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into identity.replays (id, expires_at) values (${id}, ${expiresAt})
    on conflict do nothing`.execute(tx)
  return numAffectedRows === 1n
}

/** Of these ids (hex digits) the ones that nobody had used. */
export async function insertReplays(
  tx: Tx,
  ids: readonly string[],
  expiries: readonly Date[],
): Promise<ReadonlySet<string>> {
  const { rows } = await insertReplayRows(tx, ids, expiries)
  return new Set(rows.map(({ id }) => id.toString('hex')))
}

const insertReplayRows = statement<{ id: Buffer }>(`
  insert into identity.replays (id, expires_at)
  select * from unnest($1::bytea[], $2::timestamptz[]) as used (id, expires_at) order by id
  on conflict do nothing returning id`)

/** At most `limit` of each table; answers how many went. */
export async function deleteExpired(tx: Tx, limit: number): Promise<number> {
  const { numAffectedRows: artifacts = 0n } = await sql`
    delete from identity.artifacts where (model, id_hash) in (
      select model, id_hash from identity.artifacts
      where expires_at < now() - interval '1 hour' order by expires_at limit ${limit}
      for update skip locked)`.execute(tx)
  // Ten minutes more: a proof is accepted 300 s either side of now, and must not outlive its record.
  const { numAffectedRows: replays = 0n } = await sql`
    delete from identity.replays where id in (
      select id from identity.replays
      where expires_at < now() - interval '10 minutes' order by expires_at limit ${limit})`.execute(
    tx,
  )
  return Number(artifacts + replays)
}
