import { randomFillSync } from 'node:crypto'

/**
 * Ids are uuid v7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits. Rows hold the
 * uuid; clients see `pay_` and 26 characters of Crockford base32, which sort as the uuids do.
 */

const POOL_BYTES = 4096 // one call to the random source per 400 ids: the call costs more than the bytes
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

// Every payment makes and shows a dozen ids: they are written byte by byte into one buffer and read
// out as a string once, which is several times cheaper than cutting and joining strings.
const digits = Buffer.alloc(36, '-')
const HEX = Buffer.from('0123456789abcdef')
const ALPHABET = Buffer.from('0123456789abcdefghjkmnpqrstvwxyz')
const DIGIT_AT = [...'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'].flatMap((mark, at) =>
  mark === 'x' ? [at] : [],
)
const NONE = 255 // no digit
const NIBBLES = valuesOf(HEX)
const VALUES = valuesOf(ALPHABET)

/** A new uuid v7 in lower-case text, stamped with `at`. Text order equals PostgreSQL's uuid order. */
export function newId(at: Date): string {
  if (used + 10 > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const time = at.getTime()
  writeHex(Math.floor(time / 65_536), 0, 8)
  writeHex(time % 65_536, 8, 12)
  for (let digit = 12; digit < 32; digit += 2) {
    writeHex(pool[used] as number, digit, digit + 2)
    used += 1
  }
  digits[14] = 55 // the version: '7'
  digits[19] = HEX[((NIBBLES[digits[19] as number] as number) & 0x3) | 0x8] as number // the variant
  return digits.toString('latin1')
}

/** Writes 32 bits at most as the digits `from` to `to` of the uuid. */
function writeHex(bits: number, from: number, to: number): void {
  let rest = bits
  for (let digit = to - 1; digit >= from; digit -= 1) {
    digits[DIGIT_AT[digit] as number] = HEX[rest & 15] as number
    rest >>>= 4
  }
}

/** `pay_` + base32 of the 128 bits, two zero bits leading: what clients see. */
export function publicId<Prefix extends string>(
  prefix: Prefix,
  uuid: string,
): `${Prefix}_${string}` {
  let bits = 0
  let count = 2 // the two leading zero bits
  let at = 0
  for (let digit = 0; digit < 32; digit += 1) {
    const nibble = NIBBLES[uuid.charCodeAt(DIGIT_AT[digit] as number)]
    if (nibble === undefined || nibble === NONE) throw new Error(`not a uuid: ${uuid}`)
    bits = ((bits << 4) | nibble) & 0xff
    count += 4
    if (count < 5) continue
    count -= 5
    body[at] = ALPHABET[(bits >> count) & 31] as number
    at += 1
  }
  return `${prefix}_${body.toString('latin1')}`
}

const body = Buffer.alloc(26)

/** The uuid behind a public id, or undefined when it is no id of that kind. */
export function internalId(prefix: string, shown: string): string | undefined {
  const from = prefix.length + 1
  if (shown.length !== from + 26 || !shown.startsWith(prefix) || shown[from - 1] !== '_') {
    return undefined
  }
  let bits = 0
  let count = -2 // the two leading zero bits
  let digit = 0
  for (let at = from; at < from + 26; at += 1) {
    const value = VALUES[shown.charCodeAt(at)]
    if (value === undefined || value === NONE || (at === from && value > 7)) return undefined
    bits = ((bits << 5) | value) & 0xfff
    count += 5
    while (count >= 4) {
      count -= 4
      digits[DIGIT_AT[digit] as number] = HEX[(bits >> count) & 15] as number
      digit += 1
    }
  }
  return digits.toString('latin1')
}

function valuesOf(characters: Buffer): Uint8Array {
  const values = new Uint8Array(128).fill(NONE)
  for (const [value, code] of characters.entries()) values[code] = value
  return values
}

/** The uuid behind a public id that a schema has let pass: anything else is a bug, and throws. */
export function knownId(text: string): string {
  const uuid = internalId(text.slice(0, text.indexOf('_')), text)
  if (uuid === undefined) throw new Error(`no public id: ${text}`)
  return uuid
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
