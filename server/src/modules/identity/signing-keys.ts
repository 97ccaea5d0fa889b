import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import type { Pool } from 'pg'
import type { Clock } from '../../platform/clock.ts'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { inTransaction } from '../../platform/db/transaction.ts'
import { StartError } from '../../platform/start-error.ts'
import {
  type PublicJwk,
  type SigningKeyRow,
  type SigningKeyState,
  insertSigningKey,
  listSigningKeyStates,
  listSigningKeys,
  lockSigningKeys,
} from './signing-key.queries.ts'

/**
 * The keys that sign access tokens: P-256, the private half sealed in the database, so every node
 * has the same ones. A node that meets a token signed by a key it does not know looks again.
 */
export const SIGNING_ALG = 'ES256'

// Shorter: a stream of forged key ids reads the table on each. Longer: tokens signed by a new key
// are refused here that long; a rotation publishes a key an hour before it signs.
const RELOAD_PAUSE_MS = 10_000

export interface SigningKey {
  readonly kid: string
  readonly state: SigningKeyState
  readonly publicJwk: PublicJwk
  readonly privateJwk: PublicJwk & { readonly d: string }
  readonly verifier: CryptoKey
}

export interface Keyring {
  /** The one that signs first. A new array when the set has changed. */
  current(): readonly SigningKey[]
  /** The public key of this id; reads the database again, now and then, for an unknown one. */
  verifier(kid: string): Promise<CryptoKey | undefined>
  /** Whether the key is published: what it signed may be remembered as long as it is. */
  knows(kid: string): boolean
  /** Loads the keys again where any of them was made, turned or destroyed since. */
  follow(): Promise<void>
}

/** Loads the keys; at the very first start of an install makes one. */
export async function openKeyring(
  pool: Pool,
  { sealing, clock }: { readonly sealing: Sealing; readonly clock: Clock },
): Promise<Keyring> {
  let keys = await load()
  if (!keys.some(({ state }) => state === 'active')) {
    await makeFirstKey(pool, sealing, clock.now())
    keys = await load()
  }
  let loadedAt = clock.now().getTime()
  let loading: Promise<void> | undefined

  async function load(): Promise<readonly SigningKey[]> {
    const rows = await listSigningKeys(databaseOver(pool))
    return await Promise.all(rows.map((row) => opened(row, sealing)))
  }

  function find(kid: string): CryptoKey | undefined {
    return keys.find((key) => key.kid === kid)?.verifier
  }

  async function reload(): Promise<void> {
    const found = await load()
    if (namesOf(found) !== namesOf(keys)) keys = found
  }

  return {
    current: () => keys,
    knows: (kid) => find(kid) !== undefined,
    async follow() {
      const states = await listSigningKeyStates(databaseOver(pool))
      if (setOf(states) !== setOf(keys)) await reload()
    },
    verifier: async (kid) => {
      const known = find(kid)
      if (known !== undefined) return known
      const now = clock.now().getTime()
      if (loading === undefined && now - loadedAt >= RELOAD_PAUSE_MS) {
        loadedAt = now
        loading = reload().finally(() => {
          loading = undefined
        })
      }
      await loading
      return find(kid)
    },
  }
}

/** Of several nodes that start on an empty database together, the first makes the key. */
async function makeFirstKey(pool: Pool, sealing: Sealing, at: Date): Promise<void> {
  const row = await newSigningKey(sealing, { state: 'active', activateAt: at })
  await inTransaction(pool, async (tx) => {
    await lockSigningKeys(tx)
    const present = await listSigningKeys(tx)
    if (present.some(({ state }) => state === 'active')) return
    await insertSigningKey(tx, row)
  })
}

/** A new key, its private half sealed for its row. */
export async function newSigningKey(
  sealing: Sealing,
  { state, activateAt }: { readonly state: SigningKeyState; readonly activateAt: Date },
): Promise<SigningKeyRow> {
  const { publicJwk, privateJwk } = await newKeyPair()
  const { kid } = publicJwk
  return {
    kid,
    alg: SIGNING_ALG,
    public_jwk: publicJwk,
    sealed_private_jwk: sealing.seal(Buffer.from(JSON.stringify(privateJwk)), contextOf(kid)),
    state,
    activate_at: activateAt,
    retire_at: null,
  }
}

async function newKeyPair() {
  const pair = await generateKeyPair(SIGNING_ALG, { extractable: true })
  const { kty, crv, x, y, d } = (await exportJWK(pair.privateKey)) as Record<string, string>
  if (!kty || !crv || !x || !y || !d) throw new Error('a new P-256 key lacks a member')
  const kid = await calculateJwkThumbprint({ kty, crv, x, y })
  const publicJwk = { kty, crv, x, y, kid }
  return { publicJwk, privateJwk: { ...publicJwk, d } }
}

/** Throws `StartError` where the keys were sealed under another root key: no new one may join them. */
export function assertOpens(rows: readonly SigningKeyRow[], sealing: Sealing): void {
  for (const row of rows) unsealed(row, sealing)
}

async function opened(row: SigningKeyRow, sealing: Sealing): Promise<SigningKey> {
  const { kid, state, alg, public_jwk: publicJwk } = row
  if (alg !== SIGNING_ALG) throw new Error(`signing key ${kid} is for ${alg}, not ${SIGNING_ALG}`)
  const verifier = await importJWK({ ...publicJwk }, SIGNING_ALG)
  if (verifier instanceof Uint8Array) throw new Error(`signing key ${kid} is no public key`)
  return { kid, state, publicJwk, privateJwk: unsealed(row, sealing), verifier }
}

function unsealed({ kid, sealed_private_jwk: sealed }: SigningKeyRow, sealing: Sealing) {
  let text: string
  try {
    text = sealing.open(sealed, contextOf(kid)).toString()
  } catch (cause) {
    throw new StartError(
      'The signing keys in this database were sealed under another root key. Start with the data directory (keys/kek-1) or the configured root key that the database was first started with.',
      { cause },
    )
  }
  return JSON.parse(text) as SigningKey['privateJwk']
}

function contextOf(kid: string): string {
  return `identity.signing_keys|sealed_private_jwk|${kid}`
}

type Named = Pick<SigningKeyRow, 'kid' | 'state'>

function setOf(keys: readonly Named[]): string {
  return keys
    .map(({ kid, state }) => `${kid} ${state}`)
    .toSorted()
    .join()
}

function namesOf(keys: readonly SigningKey[]): string {
  return keys.map(({ kid, state }) => `${kid} ${state}`).join()
}
