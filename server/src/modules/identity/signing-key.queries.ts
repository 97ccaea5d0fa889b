import { type Selectable, sql } from 'kysely'
import type { DB, TxOf } from '../../platform/db/types.ts'

/** Signing keys belong to the install, not to a tenant. */
type Tx = TxOf<'identity'>

export type SigningKeyState = 'pending' | 'active' | 'retired'

/** The public half of a P-256 key (RFC 7517), with its `kid`. */
export interface PublicJwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly y: string
  readonly kid: string
}

interface Narrow {
  state: SigningKeyState
  public_jwk: PublicJwk
}

export type SigningKeyRow = Omit<Selectable<DB['identity.signing_keys']>, keyof Narrow> & Narrow

/** Every published key: the one that signs first, then the others, in the same order on each node. */
export async function listSigningKeys(tx: Tx): Promise<SigningKeyRow[]> {
  return await tx
    .selectFrom('identity.signing_keys')
    .selectAll()
    .orderBy(sql`state = 'active'`, 'desc')
    .orderBy('activate_at', 'desc')
    .orderBy('kid')
    .$castTo<SigningKeyRow>()
    .execute()
}

/** Until this transaction ends nobody else adds or changes a key; reading goes on. */
export async function lockSigningKeys(tx: Tx): Promise<void> {
  await sql`lock table identity.signing_keys in share row exclusive mode`.execute(tx)
}

export async function insertSigningKey(tx: Tx, row: SigningKeyRow): Promise<void> {
  const { public_jwk: jwk, ...columns } = row
  await tx
    .insertInto('identity.signing_keys')
    .values({ ...columns, public_jwk: JSON.stringify(jwk) })
    .execute()
}

/** Names and states alone, in no order: whether there is anything new. */
export async function listSigningKeyStates(
  tx: Tx,
): Promise<Pick<SigningKeyRow, 'kid' | 'state'>[]> {
  return await tx
    .selectFrom('identity.signing_keys')
    .select(['kid', 'state'])
    .$castTo<Pick<SigningKeyRow, 'kid' | 'state'>>()
    .execute()
}

/** The pending key signs from now on; the one that did is published until `retireAt`. */
export async function activateSigningKey(
  tx: Tx,
  { kid, at, retireAt }: { kid: string; at: Date; retireAt: Date },
): Promise<void> {
  await sql`
    update identity.signing_keys
       set state = case when kid = ${kid} then 'active' else 'retired' end,
           activate_at = case when kid = ${kid} then ${at}::timestamptz else activate_at end,
           retire_at = case when kid = ${kid} then null else ${retireAt}::timestamptz end
     where kid = ${kid} or state = 'active'`.execute(tx)
}

/** Destroys keys, whatever their state; tokens that they signed are refused from then on. */
export async function deleteSigningKeys(tx: Tx, kids: readonly string[]): Promise<void> {
  await sql`delete from identity.signing_keys where kid = any(${kids}::text[])`.execute(tx)
}
