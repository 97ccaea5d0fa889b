import { sql } from 'kysely'
import type { TxOf } from '../../../platform/db/types.ts'
import type { UserRow } from './user.queries.ts'

export type PersonRow = UserRow & {
  readonly has_second_factor: boolean
  /** Null: he has no password. */
  readonly password_changed_at: Date | null
}

/** The active user of this id, and whether more than a password is enrolled. */
export async function findActivePerson(
  tx: TxOf<'identity'>,
  tenantId: string,
  userId: string,
): Promise<PersonRow | undefined> {
  const { rows } = await sql<PersonRow>`
    select u.*, exists (
        select from identity.credentials c
        where c.tenant_id = u.tenant_id and c.user_id = u.user_id and c.kind = 'totp'
      ) as has_second_factor,
      (select c.changed_at from identity.credentials c
        where c.tenant_id = u.tenant_id and c.user_id = u.user_id and c.kind = 'password'
      ) as password_changed_at
    from identity.users u
    where u.tenant_id = ${tenantId} and u.user_id = ${userId} and u.status = 'active'`.execute(tx)
  return rows[0]
}
