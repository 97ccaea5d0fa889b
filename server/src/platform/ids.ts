import { randomFillSync } from 'node:crypto'

/**
 * Ids are uuid v7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits. Rows hold the
 * uuid; clients see `pay_` and 26 characters of Crockford base32, which sort as the uuids do.
 */

const POOL_BYTES = 4096 // one call to the random source per 400 ids: the call costs more than the bytes
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** A new uuid v7 in lower-case text, stamped with `at`. Text order equals PostgreSQL's uuid order. */
export function newId(at: Date): string {
  if (used + 10 > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const time = at.getTime().toString(16).padStart(12, '0')
  const random = pool.toString('hex', used, used + 10)
  used += 10
  const variant = ((Number.parseInt(random.slice(3, 4), 16) & 0x3) | 0x8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const VALUES = new Map([...ALPHABET].map((character, value) => [character, BigInt(value)]))

/** `pay_` + base32 of the 128 bits: what clients see. */
export function publicId<Prefix extends string>(prefix: Prefix, uuid: string): `${Prefix}_${string}` {
  const hex = uuid.replaceAll('-', '')
  // 128 bits as a run of 2 and 32 hex digits: 26 characters need 130 bits, so two zero bits lead.
  let text = ''
  let carry = 0
  let bits = 2
  for (let at = 0; at < 32; at += 1) {
    carry = (carry << 4) | Number.parseInt(hex.charAt(at), 16)
    bits += 4
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt(carry >> bits)
      carry &= (1 << bits) - 1
    }
  }
  return `${prefix}_${text}`
}

/** The uuid behind a public id, or undefined when it is no id of that kind. */
export function internalId(prefix: string, text: string): string | undefined {
  if (text.length !== prefix.length + 27 || !text.startsWith(`${prefix}_`)) return undefined
  let bits = 0n
  for (const character of text.slice(prefix.length + 1)) {
    const value = VALUES.get(character)
    if (value === undefined) return undefined
    bits = (bits << 5n) | value
  }
  if (bits >> 128n !== 0n) return undefined
  const hex = bits.toString(16).padStart(32, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The JSON Schema pattern of a public id of this kind. */
export function idPattern(prefix: string): string {
  return `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`
}

/** The smallest uuid v7 of an instant: bounds a scan over ids by time. */
export function firstIdAt(at: Date): string {
  const time = Math.max(0, at.getTime()).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
