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
// Ten bits at a time are two characters: a table look-up instead of arithmetic per character.
const PAIRS = Array.from({ length: 1024 }, (_, bits) => {
  return ALPHABET.charAt(bits >> 5) + ALPHABET.charAt(bits & 31)
})
const VALUES = new Uint8Array(128).fill(255)
for (const [value, character] of [...ALPHABET].entries()) VALUES[character.charCodeAt(0)] = value

/** `pay_` + base32 of the 128 bits, two zero bits leading: what clients see. */
export function publicId<Prefix extends string>(
  prefix: Prefix,
  uuid: string,
): `${Prefix}_${string}` {
  // 40 bits are a whole number of bytes and of pairs. The first group has 8 bits of the uuid.
  const body =
    pairsOf(Number.parseInt(uuid.slice(0, 2), 16), 1) +
    pairsOf(Number.parseInt(uuid.slice(2, 8) + uuid.slice(9, 13), 16), 4) +
    pairsOf(Number.parseInt(uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24, 26), 16), 4) +
    pairsOf(Number.parseInt(uuid.slice(26, 36), 16), 4)
  return `${prefix}_${body}`
}

function pairsOf(bits: number, pairs: number): string {
  if (pairs === 1) return PAIRS[bits] as string
  const high = Math.floor(bits / 1_048_576)
  const low = bits % 1_048_576
  const text = (PAIRS[high >> 10] as string) + (PAIRS[high & 1023] as string)
  return text + (PAIRS[low >> 10] as string) + (PAIRS[low & 1023] as string)
}

/** The uuid behind a public id, or undefined when it is no id of that kind. */
export function internalId(prefix: string, text: string): string | undefined {
  const from = prefix.length + 1
  if (text.length !== from + 26 || !text.startsWith(`${prefix}_`)) return undefined
  const first = bitsOf(text, from, from + 2)
  const second = bitsOf(text, from + 2, from + 10)
  const third = bitsOf(text, from + 10, from + 18)
  const fourth = bitsOf(text, from + 18, from + 26)
  const whole = first + second + third + fourth
  if (Number.isNaN(whole) || first > 255) return undefined
  const hex = hexOf(first, 2) + hexOf(second, 10) + hexOf(third, 10) + hexOf(fourth, 10)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The uuid behind a public id that a schema has let pass: anything else is a bug, and throws. */
export function knownId(text: string): string {
  const uuid = internalId(text.slice(0, text.indexOf('_')), text)
  if (uuid === undefined) throw new Error(`no public id: ${text}`)
  return uuid
}

/** Up to 40 bits, which a double holds exactly; NaN at a character that is none of ours. */
function bitsOf(text: string, from: number, to: number): number {
  let bits = 0
  for (let at = from; at < to; at += 1) {
    const value = VALUES[text.charCodeAt(at)]
    if (value === undefined || value === 255) return Number.NaN
    bits = bits * 32 + value
  }
  return bits
}

function hexOf(bits: number, digits: number): string {
  return bits.toString(16).padStart(digits, '0')
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
