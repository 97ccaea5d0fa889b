import { createHmac, hash } from 'node:crypto'

export type KeyedHash = (text: string) => string

const BLOCK_BYTES = 64

/**
 * HMAC-SHA-256 of texts under one key, in hex, as two one-shot hashes (RFC 2104).
 *
 * `createHmac` makes a native object per call, which then burdens the garbage collector: 5 µs of the
 * 39 that a request cost, against 1 this way. The key is made of 64 ASCII characters, one block
 * exactly, so that the padded key can lead the text as a string.
 */
export function createKeyedHash(secret: Uint8Array): KeyedHash {
  if (secret.byteLength < 32) throw new RangeError('a hash key has at least 32 bytes')
  const key = blockKeyOf(secret)
  const inner = Buffer.from(key.map((byte) => byte ^ 0x36)).toString('ascii')
  const outer = Buffer.alloc(BLOCK_BYTES + 32)
  outer.set(key.map((byte) => byte ^ 0x5c))
  return (text) => {
    outer.write(hash('sha256', inner + text, 'binary'), BLOCK_BYTES, 'latin1')
    return hash('sha256', outer, 'hex')
  }
}

/** The key that the texts are really hashed under; for the test that compares with `createHmac`. */
export function blockKeyOf(secret: Uint8Array): Buffer {
  return Buffer.from(createHmac('sha256', secret).update('keyed hash').digest('hex'))
}
