import type { Actor } from '../../../platform/actor.ts'
import { ApiError } from '../../../platform/errors.ts'
import { refuse } from '../identity.errors.ts'
import { type Level, reaches } from '../sign-in-level.ts'
import { HEADER } from './token-challenges.ts'

interface AskedSignIn {
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
  const isStrong = asked.acr === undefined || reaches(user.acr, asked.acr)
  const ageS = (at.getTime() - user.authenticatedAt.getTime()) / 1_000
  const isRecent = asked.maxAge === undefined || ageS <= asked.maxAge
  if (!isStrong || !isRecent) throw strongerSignIn(asked)
}

/** For clients, keys and people: an operator signed in with two factors within the last five minutes. */
export const TO_ADMINISTER = { acr: 'ch:2', maxAge: 300 } as const

function strongerSignIn({ acr, maxAge }: AskedSignIn): ApiError {
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
