import { type Selectable, sql } from 'kysely'
import type { DB, TxOf } from '../../../platform/db/types.ts'

type Tx = TxOf<'identity'>

export type CredentialKind = 'password' | 'totp'
export type CredentialRow = Omit<Selectable<DB['identity.credentials']>, 'kind'> & {
  kind: CredentialKind
}

export interface NewPassword {
  readonly tenantId: string
  readonly userId: string
  readonly hash: string
  readonly formerHashes: readonly string[]
  readonly at: Date
}

/** A user's factors, at most one of a kind. */
export async function listCredentials(
  tx: Tx,
  tenantId: string,
  userId: string,
): Promise<CredentialRow[]> {
  return await tx
    .selectFrom('identity.credentials')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .$castTo<CredentialRow>()
    .execute()
}

/** The password of each of these users, and those that they had before. */
export async function listPasswords(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<Map<string, Pick<CredentialRow, 'password_hash' | 'former_hashes'>>> {
  const { rows } = await sql<Pick<CredentialRow, 'user_id' | 'password_hash' | 'former_hashes'>>`
    select user_id, password_hash, former_hashes from identity.credentials
    where tenant_id = ${tenantId} and user_id = any(${userIds}::uuid[])
      and kind = 'password'`.execute(tx)
  return new Map(rows.map(({ user_id: userId, ...row }) => [userId, row]))
}

export type Factor = CredentialKind | 'passkey'

/** The kinds of factor of each of these users. */
export async function listFactors(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<Map<string, Factor[]>> {
  const { rows } = await sql<{ user_id: string; kind: Factor }>`
    select user_id, kind from identity.credentials
    where tenant_id = ${tenantId} and user_id = any(${userIds}::uuid[])
    union
    select user_id, 'passkey' from identity.passkeys
    where tenant_id = ${tenantId} and user_id = any(${userIds}::uuid[])
    order by user_id, kind`.execute(tx)
  const factors = new Map<string, Factor[]>()
  for (const { user_id, kind } of rows) {
    factors.set(user_id, [...(factors.get(user_id) ?? []), kind])
  }
  return factors
}

export async function upsertPasswords(tx: Tx, passwords: readonly NewPassword[]): Promise<void> {
  if (passwords.length === 0) return
  await tx
    .insertInto('identity.credentials')
    .values(
      passwords.map(({ tenantId, userId, hash, formerHashes, at }) => ({
        tenant_id: tenantId,
        user_id: userId,
        kind: 'password',
        password_hash: hash,
        former_hashes: [...formerHashes],
        changed_at: at,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'user_id', 'kind']).doUpdateSet(({ ref }) => ({
        password_hash: ref('excluded.password_hash'),
        former_hashes: ref('excluded.former_hashes'),
        changed_at: ref('excluded.changed_at'),
      })),
    )
    .execute()
}

export interface NewTotpSecret {
  readonly tenantId: string
  readonly userId: string
  readonly sealed: Buffer
  readonly at: Date
}

export async function upsertTotpSecrets(tx: Tx, secrets: readonly NewTotpSecret[]): Promise<void> {
  if (secrets.length === 0) return
  await tx
    .insertInto('identity.credentials')
    .values(
      secrets.map(({ tenantId, userId, sealed, at }) => ({
        tenant_id: tenantId,
        user_id: userId,
        kind: 'totp',
        sealed_secret: sealed,
        changed_at: at,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'user_id', 'kind']).doUpdateSet(({ ref }) => ({
        sealed_secret: ref('excluded.sealed_secret'),
        last_used_step: 0n,
        changed_at: ref('excluded.changed_at'),
      })),
    )
    .execute()
}

/** True for exactly one of any number of callers with codes of this step or of earlier ones. */
export async function useTotpStep(
  tx: Tx,
  tenantId: string,
  userId: string,
  step: number,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update identity.credentials set last_used_step = ${step}
    where tenant_id = ${tenantId} and user_id = ${userId} and kind = 'totp'
      and last_used_step < ${step}`.execute(tx)
  return numAffectedRows === 1n
}

/** The same password under today's settings, unless it was changed meanwhile. */
export async function replacePasswordHash(
  tx: Tx,
  tenantId: string,
  userId: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await sql`
    update identity.credentials set password_hash = ${to}
    where tenant_id = ${tenantId} and user_id = ${userId} and kind = 'password'
      and password_hash = ${from}`.execute(tx)
}
