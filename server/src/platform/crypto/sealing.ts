import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/**
 * Secrets at rest under one root key. A sealed value opens only in the context it was sealed for
 * (`schema.table|column|row`), so a value copied to another row is worth nothing there.
 *
 * Layout: version 1 B | iv 12 B | ciphertext | tag 16 B. AES-256-GCM (NIST SP 800-38D), random iv.
 */
export interface Sealing {
  seal(plaintext: Uint8Array, context: string): Buffer
  /** Throws `SealBroken` for a wrong key, a wrong context, or a changed or truncated value. */
  open(sealed: Uint8Array, context: string): Buffer
  /** 32 bytes for one purpose (HKDF-SHA-256, RFC 5869): the same on every node with this root key. */
  deriveKey(purpose: string): Buffer
}

export class SealBroken extends Error {
  constructor(context: string, cause?: unknown) {
    super(`the sealed value of ${context} does not open`, { cause })
    this.name = 'SealBroken'
  }
}

export const ROOT_KEY_BYTES = 32

const VERSION = 1
const IV_BYTES = 12
const TAG_BYTES = 16 // stated to the decipher too, or it would take a tag cut to 4 bytes
const HEADER_BYTES = 1 + IV_BYTES

export function sealingUnder(rootKey: Uint8Array): Sealing {
  if (rootKey.length !== ROOT_KEY_BYTES) throw new Error(`a root key has ${ROOT_KEY_BYTES} bytes`)
  const root = Buffer.from(rootKey)
  const sealingKey = deriveKey('sealing')

  function deriveKey(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', root, '', `countinghouse/${purpose}`, 32))
  }

  function seal(plaintext: Uint8Array, context: string): Buffer {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', sealingKey, iv, { authTagLength: TAG_BYTES })
    cipher.setAAD(associated(context))
    const body = [cipher.update(plaintext), cipher.final()]
    return Buffer.concat([Buffer.of(VERSION), iv, ...body, cipher.getAuthTag()])
  }

  function open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed)
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION)
      throw new SealBroken(context)
    const iv = bytes.subarray(1, HEADER_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', sealingKey, iv, { authTagLength: TAG_BYTES })
    decipher.setAAD(associated(context))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      const body = bytes.subarray(HEADER_BYTES, -TAG_BYTES)
      return Buffer.concat([decipher.update(body), decipher.final()])
    } catch (error) {
      throw new SealBroken(context, error)
    }
  }

  return { seal, open, deriveKey }
}

function associated(context: string): Buffer {
  return Buffer.from(`${VERSION}|${context}`)
}
