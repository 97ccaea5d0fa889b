import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Pool } from 'pg'
import type { Clock } from '../../platform/clock.ts'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import { databaseOver } from '../../platform/db/dialect.ts'
import { assertStoredClients, openClientDirectory } from './clients/client-directory.ts'
import { openClientUsage } from './clients/client-usage.ts'
import type { ConsentSlot } from './consent-slot.ts'
import { type Guard, createGuard } from './guard/guard.ts'
import type { PageParts } from './pages/interaction.ts'
import { openProofRegister } from './guard/proof-register.ts'
import { type ProviderParts, buildProvider } from './provider.ts'
import { openRevocations } from './revocation-set.ts'
import { createSecretBrake } from './clients/secret-brake.ts'
import { onRevoked } from './revoke-tokens.ts'
import { type Keyring, type SigningKey, openKeyring } from './signing-keys.ts'

export interface AuthorizationServer {
  /** Public origin without a path or trailing slash. */
  readonly issuer: string
  readonly keys: Keyring
  /** Lets requests to the API in by the tokens that this server issues. */
  readonly guard: Guard
  /** Answers one request to an OAuth endpoint; the body must be unread. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** What the pages for people need; see `interactionRoutes`. */
  readonly pages: PageParts
  /** To be called when a client was changed on this node; the others follow within 5 s. */
  forgetClient(clientId: string): void
  /** Stops following what is revoked: the guard soon asks for each request. */
  close(): Promise<void>
}

export interface AuthorizationServerSettings {
  readonly issuer: string
  /** Its own small pool, or a storm of logins would starve payments. */
  readonly pool: Pool
  readonly sealing: Sealing
  readonly clock: Clock
  /** For the keys of clients, at addresses that strangers chose. */
  readonly fetch: typeof fetch
  /** Shows, keeps and ends consents. Without it no customer can give an app anything. */
  readonly consents?: ConsentSlot | undefined
  /** Where artifacts are kept. Default: the database. */
  readonly adapterOf?: ProviderParts['adapterOf'] | undefined
  readonly accessTokenSeconds?: ProviderParts['accessTokenSeconds']
  readonly onError: (error: unknown) => void
}

// A new key is published an hour before it signs; after a leak the old one signs no longer than this.
const FOLLOW_MS = 1_000

/** Loads or makes the signing keys, checks every stored client, and is ready to serve. */
export async function openAuthorizationServer(
  settings: AuthorizationServerSettings,
): Promise<AuthorizationServer> {
  const { issuer, pool, sealing, clock, consents, onError } = settings
  if (new URL(issuer).origin !== issuer) throw new Error(`the issuer ${issuer} is not an origin`)
  const keys = await openKeyring(pool, { sealing, clock })
  await assertStoredClients(databaseOver(pool))
  const directory = openClientDirectory(pool)
  const revocations = await openRevocations(pool, onError)
  const forget = onRevoked(() => void revocations.lookNow())
  revocations.onClient((clientId) => directory.forget(clientId))
  const clientKind = (clientId: string) => directory.kindOf(clientId)
  const proofs = openProofRegister(pool)
  const secretBrake = createSecretBrake({ pool, clock, onError })
  const guard = createGuard({ issuer, keys, clientKind, revocations, proofs, clock })
  const usage = openClientUsage(pool, { clock, onError })
  let current = built(keys.current())
  const following = setInterval(() => void followKeys(), FOLLOW_MS).unref()
  let cannotFollow = false

  function built(set: readonly SigningKey[]) {
    const own = { directory, guard, revocations, usage, secretBrake }
    const parts = { ...settings, ...own, consents, keys: set }
    const provider = buildProvider(parts)
    return { set, provider, answer: provider.callback() }
  }

  async function followKeys(): Promise<void> {
    try {
      await keys.follow()
      cannotFollow = false
    } catch (error) {
      if (!cannotFollow) onError(error)
      cannotFollow = true
    }
  }

  // Requests in flight finish on the provider that they began with.
  function now() {
    if (current.set !== keys.current()) current = built(keys.current())
    return current
  }

  return {
    issuer,
    keys,
    guard,
    handle(request, response) {
      void now().answer(request, response)
    },
    pages: { issuer, pool, sealing, clock, consents, provider: () => now().provider },
    forgetClient: (clientId) => directory.forget(clientId),
    async close() {
      clearInterval(following)
      forget()
      revocations.stop()
      await usage.close()
    },
  }
}
