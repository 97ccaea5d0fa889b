import { isIP } from 'node:net'

/** Who we are to an authenticator (WebAuthn Level 3 §4): a domain name, and one origin of it. */
export interface RelyingParty {
  readonly id: string
  readonly origin: string
}

/** Undefined for an issuer that is an address: browsers make passkeys for domain names only. */
export function relyingPartyOf(issuer: string): RelyingParty | undefined {
  const { hostname } = new URL(issuer)
  if (hostname.startsWith('[') || isIP(hostname) !== 0) return undefined
  return { id: hostname, origin: issuer }
}
