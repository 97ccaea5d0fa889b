import type { Tokens } from '../facts.ts'
import { memberOf } from '../json-members.ts'

/** The tokens of an answer; empty ones, which open nothing, where it has none. */
export function takeTokens(body: unknown): Tokens {
  return { access: textAt(body, 'access_token'), refresh: textAt(body, 'refresh_token') }
}

function textAt(body: unknown, name: string): string {
  const value = memberOf(body, name)
  return typeof value === 'string' ? value : ''
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
