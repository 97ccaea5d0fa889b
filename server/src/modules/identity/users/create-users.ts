import { actOf, recordAudit } from '../../audit/index.ts'
import { type Asked, type Command, tenantOf } from '../../../platform/command.ts'
import type { Tx } from '../../../platform/db/types.ts'
import { type Outcome, accept } from '../../../platform/errors.ts'
import { upsertPasswords, upsertTotpSecrets } from './credential.queries.ts'
import { refuse } from './user.errors.ts'
import { type UserKind, type UserRow, insertUsers } from './user.queries.ts'

export interface NewUser {
  readonly userId: string
  readonly kind: UserKind
  /** Normal: see `username.ts`. */
  readonly username: string
  /** Whom the user acts for. Accounts belong to it. */
  readonly partyId: string
  readonly displayName: string
  /** Of an operator. */
  readonly roles: readonly string[]
  /** Made before: hashing takes longer than a transaction should. */
  readonly passwordHash: string
  /** Of one-time codes, under seal. */
  readonly sealedTotpSecret: Buffer | undefined
}

/** Makes people who can sign in. A name that is taken, also by a neighbour, turns its item down. */
export const createUsers: Command<NewUser, UserRow> = { name: 'create_users', run }

async function run(tx: Tx, requests: readonly Asked<NewUser>[]): Promise<Outcome<UserRow>[]> {
  const tenantId = tenantOf(requests)
  const rows = requests.map(rowOf)
  const names = new Set<string>()
  const first = rows.filter(({ username }) => !names.has(username) && names.add(username))
  const written = await insertUsers(tx, first)
  const made = requests.filter(({ input }) => written.has(input.userId))
  await upsertPasswords(
    tx,
    made.map(({ input, at }) => ({
      tenantId,
      userId: input.userId,
      hash: input.passwordHash,
      formerHashes: [],
      at,
    })),
  )
  await upsertTotpSecrets(
    tx,
    made.flatMap(({ input: { userId, sealedTotpSecret: sealed }, at }) =>
      sealed === undefined ? [] : [{ tenantId, userId, sealed, at }],
    ),
  )
  recordAudit(tx, made.map(actOfMaking))
  return rows.map((row) => (written.has(row.user_id) ? accept(row) : refuse('username_taken')))
}

function rowOf({ tenantId, actor, at, input }: Asked<NewUser>): UserRow {
  return {
    tenant_id: tenantId,
    user_id: input.userId,
    version: 1,
    kind: input.kind,
    username: input.username,
    party_id: input.partyId,
    display_name: input.displayName,
    roles: [...input.roles],
    status: 'active',
    created_by: actor.id,
    created_at: at,
    updated_at: at,
  }
}

function actOfMaking(request: Asked<NewUser>) {
  const { userId, kind, roles, sealedTotpSecret } = request.input
  return actOf(request, {
    action: 'user.create',
    resourceKind: 'user',
    resourceId: userId,
    detail: { kind, roles, second_factor: sealedTotpSecret !== undefined },
  })
}
