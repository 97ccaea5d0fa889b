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

/** The kinds of factor of each of these users. */
export async function listFactors(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<Map<string, CredentialKind[]>> {
  const rows = await tx
    .selectFrom('identity.credentials')
    .select(['user_id', 'kind'])
    .where('tenant_id', '=', tenantId)
    .where('user_id', 'in', userIds.length === 0 ? [NOBODY] : [...userIds])
    .orderBy('kind')
    .$castTo<Pick<CredentialRow, 'user_id' | 'kind'>>()
    .execute()
  const factors = new Map<string, CredentialKind[]>()
  for (const { user_id, kind } of rows) {
    factors.set(user_id, [...(factors.get(user_id) ?? []), kind])
  }
  return factors
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

export async function upsertPasswords(tx: Tx, passwords: readonly NewPassword[]): Promise<void> {
  for (const { tenantId, userId, hash, formerHashes, at } of passwords) {
    await sql`
      insert into identity.credentials (tenant_id, user_id, kind, password_hash, former_hashes, changed_at)
      values (${tenantId}, ${userId}, 'password', ${hash}, ${formerHashes}::text[], ${at})
      on conflict (tenant_id, user_id, kind) do update
      set password_hash = excluded.password_hash, former_hashes = excluded.former_hashes,
          changed_at = excluded.changed_at`.execute(tx)
  }
}

export async function upsertTotpSecret(
  tx: Tx,
  { tenantId, userId, sealed, at }: { tenantId: string; userId: string; sealed: Buffer; at: Date },
): Promise<void> {
  await sql`
    insert into identity.credentials (tenant_id, user_id, kind, sealed_secret, changed_at)
    values (${tenantId}, ${userId}, 'totp', ${sealed}, ${at})
    on conflict (tenant_id, user_id, kind) do update
    set sealed_secret = excluded.sealed_secret, last_used_step = 0,
        changed_at = excluded.changed_at`.execute(tx)
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
