import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/**
 * An authenticator in memory with one ES256 key, for answers that no browser would give: what it
 * says of the site, of its owner and of its count is the test's choice.
 */
export interface SoftAuthenticator {
  readonly credentialId: Buffer
  /** COSE, as it is stored. */
  readonly publicKey: Buffer
  /** The answer of a browser to `navigator.credentials.create`, as JSON. */
  enrol(said: Said): string
  /** The same to `navigator.credentials.get`. */
  signIn(said: Said): string
}

export interface Said {
  readonly challenge: string
  readonly origin: string
  readonly rpId?: string
  readonly count?: number
  readonly isVerified?: boolean
  readonly isSynced?: boolean
  readonly crossOrigin?: boolean
  readonly userHandle?: Buffer
}

export function softAuthenticator(): SoftAuthenticator {
  const { privateKey, publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const credentialId = randomBytes(32)
  const publicKey = cbor(
    new Map<unknown, unknown>([
      [1, 2], // key type: elliptic curve
      [3, -7], // ES256
      [-1, 1], // P-256
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  )

  function answer(response: Record<string, unknown>): string {
    const id = credentialId.toString('base64url')
    return JSON.stringify({ id, rawId: id, type: 'public-key', response })
  }

  return {
    credentialId,
    publicKey,
    enrol(said) {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(credentialId.length)
      const attested = [Buffer.alloc(16), length, credentialId, publicKey]
      const authData = Buffer.concat([authenticatorData(said, ATTESTED), ...attested])
      const object = new Map<unknown, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ])
      return answer({
        clientDataJSON: clientData('webauthn.create', said).toString('base64url'),
        attestationObject: cbor(object).toString('base64url'),
        transports: ['internal'],
      })
    },
    signIn(said) {
      const client = clientData('webauthn.get', said)
      const data = authenticatorData(said, 0)
      const signed = Buffer.concat([data, sha256(client)])
      return answer({
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', signed, privateKey).toString('base64url'),
        ...(said.userHandle && { userHandle: said.userHandle.toString('base64url') }),
      })
    },
  }
}

const [PRESENT, VERIFIED, SYNCABLE, SYNCED, ATTESTED] = [0x01, 0x04, 0x08, 0x10, 0x40]

function authenticatorData(said: Said, more: number): Buffer {
  const { origin, rpId = new URL(origin).hostname, count = 0 } = said
  const { isVerified = true, isSynced = false } = said
  const counter = Buffer.alloc(4)
  counter.writeUInt32BE(count)
  const flags = PRESENT | (isVerified ? VERIFIED : 0) | (isSynced ? SYNCABLE | SYNCED : 0) | more
  return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.of(flags), counter])
}

function clientData(type: string, { challenge, origin, crossOrigin = false }: Said): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin }))
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** What of CBOR (RFC 8949) an authenticator's answer is made of. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (typeof value === 'string') {
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  }
  if (!(value instanceof Map)) throw new Error('no CBOR for this')
  const members = [...value].flatMap(([name, member]) => [cbor(name), cbor(member)])
  return Buffer.concat([head(5, value.size), ...members])
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length)
  if (length < 256) return Buffer.of((major << 5) | 24, length)
  return Buffer.of((major << 5) | 25, length >> 8, length & 0xff)
}
