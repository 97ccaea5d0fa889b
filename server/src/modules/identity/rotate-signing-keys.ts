import type { Sealing } from '../../platform/crypto/sealing.ts'
import type { TxOf } from '../../platform/db/types.ts'
import { revokeTenants } from './revoke-tokens.ts'
import {
  activateSigningKey,
  deleteSigningKeys,
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
} from './signing-key.queries.ts'
import { assertOpens, newSigningKey } from './signing-keys.ts'
import { listTenants } from './tenant.queries.ts'

/**
 * A key is `pending` (published, so that every node and every cache has it before the first token
 * that it signs), then `active`, then `retired` (published until the last token that it signed is
 * dead), then destroyed. No token is refused on the way.
 */
type Tx = TxOf<'identity'>

const HOUR_MS = 3_600_000
const PUBLISHED_AHEAD_MS = HOUR_MS // twelve times as long as others may cache our key set
const RETIRED_MS = 24 * HOUR_MS // tokens live 15 minutes; ID tokens may be looked at later
const LIFE_MS = 90 * 24 * HOUR_MS

export interface Rotation {
  /** The key to come. */
  readonly kid: string
  readonly signsFrom: Date
}

/** Makes the next key, unless one is waiting already: it signs in an hour. */
export async function rotateSigningKeys(tx: Tx, sealing: Sealing, at: Date): Promise<Rotation> {
  await lockSigningKeys(tx)
  const keys = await listSigningKeys(tx)
  assertOpens(keys, sealing)
  const waiting = keys.find(({ state }) => state === 'pending')
  if (waiting !== undefined) return { kid: waiting.kid, signsFrom: waiting.activate_at }
  const activateAt = new Date(at.getTime() + PUBLISHED_AHEAD_MS)
  const row = await newSigningKey(sealing, { state: 'pending', activateAt })
  await insertSigningKey(tx, row)
  return { kid: row.kid, signsFrom: activateAt }
}

/**
 * After a leak: destroys every key there is and revokes every live token. A new key signs at once,
 * and clients that are told 401 take new tokens.
 */
export async function replaceSigningKeys(tx: Tx, sealing: Sealing, at: Date): Promise<Rotation> {
  await lockSigningKeys(tx)
  const leaked = await listSigningKeys(tx)
  assertOpens(leaked, sealing)
  await deleteSigningKeys(
    tx,
    leaked.map(({ kid }) => kid),
  )
  const row = await newSigningKey(sealing, { state: 'active', activateAt: at })
  await insertSigningKey(tx, row)
  const tenants = await listTenants(tx)
  await revokeTenants(
    tx,
    tenants.map(({ tenant_id: tenantId }) => ({ tenantId, reason: 'signing_key_replaced', at })),
  )
  return { kid: row.kid, signsFrom: at }
}

/** What is due: the pending key signs, dead ones go, and after 90 days the next one is made. */
export async function turnSigningKeys(tx: Tx, sealing: Sealing, at: Date): Promise<void> {
  await lockSigningKeys(tx)
  const keys = await listSigningKeys(tx)
  const due = keys.find(({ state, activate_at }) => state === 'pending' && activate_at <= at)
  if (due !== undefined) {
    const retireAt = new Date(at.getTime() + RETIRED_MS)
    await activateSigningKey(tx, { kid: due.kid, at, retireAt })
  }
  const dead = keys.filter(
    ({ state, retire_at }) => state === 'retired' && retire_at !== null && retire_at <= at,
  )
  if (dead.length > 0) {
    await deleteSigningKeys(
      tx,
      dead.map(({ kid }) => kid),
    )
  }
  const active = keys.find(({ state }) => state === 'active')
  const isOld = active !== undefined && at.getTime() - active.activate_at.getTime() >= LIFE_MS
  if (isOld && !keys.some(({ state }) => state === 'pending')) {
    await rotateSigningKeys(tx, sealing, at)
  }
}
