import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** One-time codes by time (RFC 6238): SHA-1, six digits, 30 seconds, as authenticator apps have it. */
const STEP_S = 30
const DIGITS = 6
const DRIFT_STEPS = 1 // a clock half a minute off, and the time that typing takes
const SECRET_BYTES = 20 // the length of SHA-1's output (RFC 4226 §4)

export function newTotpSecret(): Buffer {
  return randomBytes(SECRET_BYTES)
}

/** The step in which this code is right, within a step of `at`; undefined for a wrong code. */
export function stepOfCode(secret: Uint8Array, code: string, at: Date): number | undefined {
  const given = Buffer.from(code.replaceAll(/\s/g, ''))
  const now = stepAt(at)
  let found: number | undefined
  for (let step = now - DRIFT_STEPS; step <= now + DRIFT_STEPS; step += 1) {
    const right = Buffer.from(codeOfStep(secret, step))
    if (given.length === right.length && timingSafeEqual(given, right)) found ??= step
  }
  return found
}

/** What an authenticator app shows at this instant. */
export function totpCode(secret: Uint8Array, at: Date): string {
  return codeOfStep(secret, stepAt(at))
}

function stepAt(at: Date): number {
  return Math.floor(at.getTime() / 1_000 / STEP_S)
}

function codeOfStep(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = (mac.at(-1) as number) & 0xf
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0')
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The secret as authenticator apps take it: base32 of RFC 4648 without padding. */
export function toBase32(bytes: Uint8Array): string {
  let bits = 0
  let held = 0
  let text = ''
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((held >>> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31)
}

/** @throws Error for text that is no base32. */
export function fromBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of text.toUpperCase().replaceAll(/[\s=]/g, '')) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) throw new Error('a one-time-code secret is base32: A to Z and 2 to 7')
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push(held >>> bits)
    held &= (1 << bits) - 1
  }
  return Buffer.from(bytes)
}

/** For a QR code or a link on a phone: what authenticator apps read. */
export function otpauthUri(secret: Uint8Array, account: string): string {
  const label = `Countinghouse:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${toBase32(secret)}&issuer=Countinghouse`
}
