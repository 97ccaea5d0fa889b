import type { Actor } from '../../platform/actor.ts'
import { ApiError } from '../../platform/errors.ts'
import { refuse } from './identity.errors.ts'
import { HEADER } from './token-challenges.ts'

/** How sure one must be of a person, weakest first: password, two factors, passkey. */
const LEVELS = ['ch:1', 'ch:2', 'ch:phr'] as const
export type Level = (typeof LEVELS)[number]

export interface AskedSignIn {
  readonly acr?: Level
  /** Seconds since the person last signed in. */
  readonly maxAge?: number
}

/**
 * Throws 401 `insufficient_user_authentication` (RFC 9470) unless the person behind the token signed
 * in this strongly and this recently. A client that acts for itself passes: no sign-in is behind it.
 */
export function requireSignIn({ user }: Actor, asked: AskedSignIn, at: Date): void {
  if (user === undefined) return
  const isStrong = asked.acr === undefined || rank(user.acr) >= rank(asked.acr)
  const ageS = (at.getTime() - user.authenticatedAt.getTime()) / 1_000
  const isRecent = asked.maxAge === undefined || ageS <= asked.maxAge
  if (!isStrong || !isRecent) throw strongerSignIn(asked)
}

/** The refusal itself, for a route whose command found that the act needs it. */
export function strongerSignIn({ acr, maxAge }: AskedSignIn): ApiError {
  const words = [
    'error="insufficient_user_authentication"',
    `error_description="${refuse.table.insufficient_user_authentication.title}"`,
    ...(acr === undefined ? [] : [`acr_values="${acr}"`]),
    ...(maxAge === undefined ? [] : [`max_age="${maxAge}"`]),
  ]
  return new ApiError(refuse('insufficient_user_authentication'), {
    [HEADER]: `Bearer ${words.join(', ')}`,
  })
}

function rank(acr: string): number {
  return LEVELS.findIndex((level) => level === acr)
}
