import { type KoaContextWithOIDC, interactionPolicy } from 'oidc-provider'
import { personOf } from './library-account.ts'
import { neededLevel, reaches } from './sign-in-level.ts'

/** However busy somebody is: after this he proves again who he is. Seconds. */
export const LONGEST_SESSION_S = 12 * 3_600

/**
 * When a page is shown: the library's own reasons, and three that it lacks. Its prompt for consent
 * would meet a session of another tenant with an error, and it takes `acr_values` for a wish.
 */
export function loginPolicy(): interactionPolicy.Prompt[] {
  const policy = interactionPolicy.base()
  const { Check } = interactionPolicy
  const login = policy.get('login')
  login?.checks.add(
    new Check('nobody_here', 'the session is of nobody whom this client may meet', ({ oidc }) => {
      return oidc.session?.accountId !== undefined && oidc.account === undefined
    }),
  )
  login?.checks.add(
    new Check('level_too_low', 'a stronger sign-in is required', ({ oidc }) => {
      return oidc.session?.accountId !== undefined && !isSureEnough(oidc)
    }),
  )
  login?.checks.add(
    new Check('session_too_old', 'the session has lasted long enough', ({ oidc }) => {
      return oidc.session?.accountId !== undefined && oidc.session.past(LONGEST_SESSION_S)
    }),
  )
  return policy
}

function isSureEnough(oidc: KoaContextWithOIDC['oidc']): boolean {
  const { client, params, session, account } = oidc
  if (client === undefined) return false
  const hasSecondFactor = personOf(account)?.has_second_factor
  return reaches(session?.acr, neededLevel({ ...params, client, hasSecondFactor }))
}
