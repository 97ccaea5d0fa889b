import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * Passwords as argon2id in PHC text. The work is meant to cost: 19 MiB and two passes (the smallest
 * of the OWASP settings), some 30 ms, and never more than two at once in this process, because it
 * runs on the threads that file and name look-ups share.
 */
const MEMORY_KIB = 19_456
const PASSES = 2
const PARALLELISM = 1
const TAG_BYTES = 32
const SALT_BYTES = 16
const AT_ONCE = 2

const derive = promisify<'argon2id', Argon2Parameters, Buffer>(argon2)

export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(SALT_BYTES)
  const tag = await derived(password, { nonce, memory: MEMORY_KIB, passes: PASSES })
  return `${PREFIX}${unpadded(nonce)}$${unpadded(tag)}`
}

const PREFIX = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$`

/**
 * Whether the password is the one of this hash. Without a hash it works as long on one that nobody
 * has, and says no: an unknown name must not answer sooner than a known one.
 */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const { nonce, tag, memory, passes } = parsed(stored ?? NOBODYS)
  const given = await derived(password, { nonce, memory, passes })
  return timingSafeEqual(given, tag) && stored !== undefined
}

/** True when today's settings are stronger than those of this hash: hash again at the next login. */
export function isOutdated(stored: string): boolean {
  return !stored.startsWith(PREFIX)
}

const NOBODYS = `${PREFIX}${unpadded(randomBytes(SALT_BYTES))}$${unpadded(randomBytes(TAG_BYTES))}`

interface Work {
  readonly nonce: Buffer
  readonly memory: number
  readonly passes: number
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=1\$([\w+/-]+)\$([\w+/-]+)$/

function parsed(stored: string): Work & { readonly tag: Buffer } {
  const [, memory, passes, salt = '', tag = ''] = PHC.exec(stored) ?? []
  const bytes = Buffer.from(tag, 'base64')
  if (memory === undefined || bytes.length !== TAG_BYTES) {
    throw new Error('a stored password hash is not argon2id text of ours')
  }
  return {
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    tag: bytes,
  }
}

async function derived(password: string, { nonce, memory, passes }: Work): Promise<Buffer> {
  await turn()
  try {
    // Two ways to write one character are one password (RFC 8265, OpaqueString).
    const message = password.normalize('NFC')
    const fixed = { parallelism: PARALLELISM, tagLength: TAG_BYTES }
    return await derive('argon2id', { message, nonce, memory, passes, ...fixed })
  } finally {
    running -= 1
    waiting.shift()?.()
  }
}

let running = 0
const waiting: (() => void)[] = []

async function turn(): Promise<void> {
  while (running >= AT_ONCE) {
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  running += 1
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
