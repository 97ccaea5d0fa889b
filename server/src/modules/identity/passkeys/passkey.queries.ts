import { type Selectable, sql } from 'kysely'
import type { DB, TxOf } from '../../../platform/db/types.ts'

type Tx = TxOf<'identity'>

export type PasskeyRow = Selectable<DB['identity.passkeys']>

/** A credential id that somebody of the tenant has is left out; answers the ids that were written. */
export async function insertPasskeys(
  tx: Tx,
  rows: readonly PasskeyRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const written = await tx
    .insertInto('identity.passkeys')
    .values([...rows])
    .onConflict((conflict) => conflict.columns(['tenant_id', 'credential_id']).doNothing())
    .returning('passkey_id')
    .execute()
  return new Set(written.map(({ passkey_id: id }) => id))
}

/** The passkeys of these users, each user's oldest first. They are few: see `MAX_PASSKEYS`. */
export async function listPasskeys(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<PasskeyRow[]> {
  const { rows } = await sql<PasskeyRow>`
    select * from identity.passkeys
    where tenant_id = ${tenantId} and user_id = any(${userIds}::uuid[])
    order by user_id, passkey_id`.execute(tx)
  return rows
}

/** The passkey of a user that was made for this domain name and has this credential id. */
export async function findPasskey(
  tx: Tx,
  tenantId: string,
  userId: string,
  { rpId, credentialId }: { readonly rpId: string; readonly credentialId: Buffer },
): Promise<PasskeyRow | undefined> {
  return await tx
    .selectFrom('identity.passkeys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('rp_id', '=', rpId)
    .where('credential_id', '=', credentialId)
    .executeTakeFirst()
}

/** Whether a user has a passkey that was made for this domain name. */
export async function hasPasskey(
  tx: Tx,
  tenantId: string,
  userId: string,
  rpId: string,
): Promise<boolean> {
  const row = await tx
    .selectFrom('identity.passkeys')
    .select('passkey_id')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('rp_id', '=', rpId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Notes a use. False where the count did not grow: two authenticators hold the same key, or two
 * nodes saw the same count. One that does not count says 0 always (WebAuthn Level 3 §6.1.1).
 */
export async function countUse(
  tx: Tx,
  { tenant_id: tenantId, passkey_id: passkeyId }: PasskeyRow,
  count: number,
  at: Date,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update identity.passkeys set sign_count = ${count}::bigint, last_used_at = ${at}
    where tenant_id = ${tenantId} and passkey_id = ${passkeyId}
      and (sign_count < ${count}::bigint or (sign_count = 0 and ${count}::bigint = 0))`.execute(tx)
  return numAffectedRows === 1n
}

export interface NamedPasskey {
  readonly userId: string
  readonly passkeyId: string
}

/** Answers those that were there. */
export async function deletePasskeys(
  tx: Tx,
  tenantId: string,
  named: readonly NamedPasskey[],
): Promise<NamedPasskey[]> {
  const { rows } = await sql<NamedPasskey>`
    delete from identity.passkeys as p
    using unnest(${named.map(({ userId }) => userId)}::uuid[],
                 ${named.map(({ passkeyId }) => passkeyId)}::uuid[]) as n (user_id, passkey_id)
    where p.tenant_id = ${tenantId} and p.user_id = n.user_id and p.passkey_id = n.passkey_id
    returning p.user_id as "userId", p.passkey_id as "passkeyId"`.execute(tx)
  return rows
}
