import type { Tokens } from '../facts.ts'
import { memberOf } from '../json-members.ts'

/** The tokens of an answer; empty ones, which open nothing, where it has none. */
export function takeTokens(body: unknown): Tokens {
  const text = (name: string) => String(memberOf(body, name) ?? '')
  return { access: text('access_token'), refresh: text('refresh_token') }
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
