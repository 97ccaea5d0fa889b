import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncPath } from '../postgres/durable-files.ts'
import { StartError } from '../start-error.ts'
import { ROOT_KEY_BYTES, type Sealing, sealingUnder } from './sealing.ts'

/**
 * The root key of an install: 32 bytes in `keys/kek-1` of the data directory, made at first start,
 * or base64 text from the configuration where several processes share a database. Whoever loses it
 * loses what it sealed, so the file is flushed before its first use and never overwritten.
 */
export async function rootKey(source: {
  readonly dataDirectory: string
  /** Base64 of 32 bytes. Given, no file is read or made. */
  readonly configured?: string | undefined
}): Promise<Buffer> {
  if (source.configured !== undefined) return decoded(source.configured)
  const directory = join(source.dataDirectory, 'keys')
  const path = join(directory, 'kek-1')
  return (await readKey(path)) ?? (await makeKey(directory, path))
}

/** What an install seals its secrets with, by its settings. */
export async function sealingOf(settings: {
  readonly dataDir: string
  readonly rootKey?: string | undefined
}): Promise<Sealing> {
  const { dataDir: dataDirectory, rootKey: configured } = settings
  return sealingUnder(await rootKey({ dataDirectory, configured }))
}

function decoded(text: string): Buffer {
  const key = Buffer.from(text, 'base64')
  if (key.length !== ROOT_KEY_BYTES) {
    throw new StartError(
      'The configured root key is not the base64 text of 32 bytes. Make one with: openssl rand -base64 32',
    )
  }
  return key
}

async function readKey(path: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0) {
      throw new StartError(
        `Others can read the root key ${path}. Take that away: chmod 600 ${path}`,
      )
    }
    const key = await readFile(path)
    if (key.length === ROOT_KEY_BYTES) return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  throw new StartError(
    `The root key ${path} is damaged: it must hold 32 bytes. Restore it from a backup; without it what it sealed is lost.`,
  )
}

/** Complete under another name, then linked: of two processes that start together, one key wins. */
async function makeKey(directory: string, path: string): Promise<Buffer> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    await writeFlushed(draft, randomBytes(ROOT_KEY_BYTES))
    await link(draft, path).catch(ignoreExisting)
    await syncPath(directory)
  } finally {
    await rm(draft, { force: true })
  }
  const key = await readKey(path)
  if (key === undefined) throw new Error(`the root key ${path} vanished while it was made`)
  return key
}

async function writeFlushed(path: string, bytes: Buffer): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(bytes)
  await file.sync()
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
