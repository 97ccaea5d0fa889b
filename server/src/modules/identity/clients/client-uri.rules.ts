import type { GrantType, SecurityProfile } from './client.queries.ts'
import type { TenantMode } from '../tenant.queries.ts'

/** What the addresses may be that a client registers: where its users are sent, and where its keys are. */
interface Addresses {
  readonly mode: TenantMode
  readonly profile: SecurityProfile
  readonly grantTypes: readonly GrantType[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly corsOrigins: readonly string[]
}

/** Compared exactly when they are used: no pattern, no prefix. */
export function redirectFault(client: Addresses): string | undefined {
  const { grantTypes, redirectUris, postLogoutRedirectUris, corsOrigins } = client
  const redirects = grantTypes.includes('authorization_code')
  if (redirects !== redirectUris.length > 0) {
    return redirects ? 'authorization_code needs redirect_uris' : 'redirect_uris has no use here'
  }
  if (!redirects && postLogoutRedirectUris.length > 0) {
    return 'post_logout_redirect_uris has no use here'
  }
  const faults = [
    ...[...redirectUris, ...postLogoutRedirectUris].map((uri) => uriFault(uri, client)),
    ...corsOrigins.map((origin) => originFault(origin, client)),
  ]
  return faults.find((fault) => fault !== undefined)
}

function uriFault(text: string, client: Addresses): string | undefined {
  const uri = URL.parse(text)
  if (uri === null) return `${text} is no absolute URI`
  if (text.includes('*')) return `${text} holds a wildcard`
  if (text.includes('#')) return `${text} holds a fragment`
  if (!URI.test(text)) return `${text} holds a character that no URI has`
  if (!HOST.test(uri.hostname)) return `${text} names no host of the internet`
  if (uri.username !== '' || uri.password !== '') return `${text} holds credentials`
  return isSafe(uri, client) ? undefined : `${text} is not https`
}

// Of RFC 3986. A parser of URLs drops or rewrites what it does not like, and a host that holds `;` or
// `,` would end a directive of the content policy that names it.
const URI = /^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])$/i

function originFault(text: string, client: Addresses): string | undefined {
  const uri = URL.parse(text)
  if (uri === null || uri.origin !== text || !HOST.test(uri.hostname)) return `${text} is no origin`
  return isSafe(uri, client) ? undefined : `${text} is not https`
}

// A developer's own machine has no certificate, and no stranger listens there.
function isSafe(
  { protocol, hostname }: URL,
  { mode, profile }: Pick<Addresses, 'mode' | 'profile'>,
): boolean {
  if (protocol === 'https:') return true
  return protocol === 'http:' && mode === 'sandbox' && profile !== 'fapi2' && LOOPBACK.has(hostname)
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** The address itself is judged each time it is asked, by what its name resolves to. */
export function jwksUriFault(text: string, mode: TenantMode): string | undefined {
  const uri = URL.parse(text)
  if (uri === null) return `${text} is no absolute URI`
  if (!isSafe(uri, { mode, profile: 'standard' })) return `${text} is not https`
  return uri.username !== '' || uri.password !== '' ? `${text} holds credentials` : undefined
}
