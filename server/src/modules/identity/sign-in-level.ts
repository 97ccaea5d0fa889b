import type { Client } from 'oidc-provider'
import { oursOf } from './clients/library-client.ts'

/**
 * How sure we must be of a person. `ch:1` is a password, `ch:2` two factors, `ch:phr` a passkey: two
 * factors that no other site can ask for. Each does for what a lower one does.
 *
 * To read, a customer needs a password. To let an app move money he needs the second factor that he
 * has enrolled; without one he cannot consent to that, except in a sandbox, where money is play
 * money and a newcomer's first transfer should not need an authenticator. Operators always need two.
 */
export const levels = ['ch:1', 'ch:2', 'ch:phr'] as const
export type Level = (typeof levels)[number]

/** What of an authorization request decides the level. */
export interface Asking {
  readonly client: Client
  readonly scope?: unknown
  readonly acr_values?: unknown
  readonly authorization_details?: unknown
  /** Undefined before we know who it is. */
  readonly hasSecondFactor: boolean | undefined
}

export function neededLevel(asking: Asking): Level {
  const { kind, tenant_mode: mode } = oursOf(asking.client)
  const asked = levelAskedFor(asking.acr_values)
  const isMoney = movesMoney(asking) && (asking.hasSecondFactor === true || mode === 'live')
  const needed = kind === 'first_party' || isMoney ? 'ch:2' : 'ch:1'
  return reaches(asked, needed) ? asked : needed
}

export function reaches(acr: string | undefined, needed: Level): boolean {
  return levels.indexOf(acr as Level) >= levels.indexOf(needed)
}

// Any one of the values will do (OpenID Connect Core §3.1.2.1), and those that we do not know none.
function levelAskedFor(acrValues: unknown): Level {
  if (typeof acrValues !== 'string') return 'ch:1'
  const asked = acrValues.split(' ')
  return levels.find((level) => asked.includes(level)) ?? 'ch:1'
}

function movesMoney({ scope, authorization_details: details }: Asking): boolean {
  if (typeof scope === 'string' && scope.split(' ').includes('transfer:write')) return true
  return typeof details === 'string' && details.includes('payment_initiation')
}
