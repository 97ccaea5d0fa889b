/**
 * The name of a person within an authenticator: the 16 bytes of his id. It says nothing about him
 * (WebAuthn Level 3 §14.6.1), and a passkey can be told apart from that of somebody else by it.
 */
export function userHandle(userId: string): Buffer {
  return Buffer.from(userId.replaceAll('-', ''), 'hex')
}
