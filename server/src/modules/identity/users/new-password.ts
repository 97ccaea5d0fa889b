import { randomInt } from 'node:crypto'

// No letters that look like digits: it may be read out or typed from paper once.
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_CHARS = 5 // 20 characters of 31: some 99 bits

/** A password for somebody who was given none, as `k7mfq-2xd9t-…`. */
export function newPassword(): string {
  const group = () =>
    Array.from({ length: GROUP_CHARS }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}
