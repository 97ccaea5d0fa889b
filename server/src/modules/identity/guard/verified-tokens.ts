import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../platform/clock.ts'
import type { AccessToken } from './access-token.ts'
import type { Keyring } from '../signing-keys.ts'

/** A token whose signature was checked within the last minute. */
export interface VerifiedToken {
  readonly token: AccessToken
  /** Milliseconds: until then the signature is not checked again. */
  readonly trustedUntil: number
  /** The version of the revocations at which the token was not among them. */
  cleanAt: number
}

export interface VerifiedTokens {
  /** By the hash of the token; undefined: its signature must be checked. */
  recall(key: string): VerifiedToken | undefined
  /** Checks the signature and remembers a good one. Throws what the reader throws. */
  verify(text: string, key: string): Promise<VerifiedToken>
}

const MAX_TOKENS = 50_000 // some 30 MB; a token that falls out is verified again
const TRUSTED_MS = 60_000 // Shorter: a busy client's token is checked more often. Longer: memory for clients gone.

/** Remembers good signatures, so that a token that is sent often costs one check a minute. */
export function openVerifiedTokens({
  readToken,
  keys,
  clock,
}: {
  readonly readToken: (text: string, now: Date) => Promise<AccessToken>
  readonly keys: Pick<Keyring, 'knows'>
  readonly clock: Clock
}): VerifiedTokens {
  const cache = new LRUCache<string, VerifiedToken>({ max: MAX_TOKENS })
  return {
    recall(key) {
      const known = cache.get(key)
      if (known === undefined || clock.now().getTime() >= known.trustedUntil) return undefined
      return keys.knows(known.token.kid) ? known : undefined
    },
    async verify(text, key) {
      const now = clock.now()
      const token = await readToken(text, now)
      const trustedUntil = Math.min(token.expiresAt, now.getTime() + TRUSTED_MS)
      const verified = { token, trustedUntil, cleanAt: -1 }
      cache.set(key, verified)
      return verified
    },
  }
}
