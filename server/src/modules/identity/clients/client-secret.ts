import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { publicId } from '../../../platform/ids.ts'

/**
 * Client secrets: `chs_<mode>_` + 32 random bytes in base64url + 8 hex digits of their CRC-32, so
 * that a scanner finds a leaked one by its look. Only hashes are kept. 256 random bits need no slow
 * hash, and a slow one would make every token request slow.
 */
export function newClientSecret(mode: 'sandbox' | 'live'): string {
  const body = `chs_${mode}_${randomBytes(32).toString('base64url')}`
  return body + crc32(body).toString(16).padStart(8, '0')
}

/** `sha256$<base64url>`: what the database holds. */
export function hashSecret(secret: string): string {
  return PREFIX + hash('sha256', secret, 'base64url')
}

/** Compares with every live hash: two of them let a secret be changed without a pause. */
export function isSecretOf(hashes: readonly string[], secret: string): boolean {
  const given = Buffer.from(hashSecret(secret))
  let matches = false
  for (const kept of hashes) {
    const expected = Buffer.from(kept)
    if (expected.length === given.length && timingSafeEqual(expected, given)) matches = true
  }
  return matches
}

/** `sec_…`: names a secret without telling it, by 128 bits of its hash. */
export function secretId(kept: string): string {
  const hex = Buffer.from(kept.slice(PREFIX.length), 'base64url').toString('hex')
  const [a, b, c, d, e] = [0, 8, 12, 16, 20].map((at, index, all) =>
    hex.slice(at, all[index + 1] ?? 32),
  )
  return publicId('sec', `${a}-${b}-${c}-${d}-${e}`)
}

const PREFIX = 'sha256$'
