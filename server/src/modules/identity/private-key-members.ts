/** Whether a JWK tells what only its owner may know (RFC 7518 §6, RFC 8037 §2). */
export function holdsPrivatePart(jwk: object): boolean {
  return PRIVATE_MEMBERS.some((member) => member in jwk)
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
