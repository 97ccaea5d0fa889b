import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../start-error.ts'
import { openDataDirectory } from './data-directory.ts'
import { identityOf, isAlive } from './process-identity.ts'

/**
 * One process at a time supervises a data directory. The right to do so is the file `lock`, which
 * names its holder by pid and start, so that a holder killed with -9 and a recycled pid are told
 * from a living one.
 *
 * Node has no flock(2), so taking over the lock of a dead holder needs care: two starters may both
 * see the same dead holder, and the slower one must not replace the lock of the faster. Therefore
 * the right to replace the lock of holder X is itself a lock, the file `lock.<nonce of X>`, taken by
 * the same rules. Whoever has it looks again whether X is still named; nonces never come back, so a
 * late starter finds another holder and begins anew. A crash at any point leaves files whose holder
 * is dead, which is where the next start begins.
 */
interface Holder {
  readonly pid: number
  readonly started: string
  readonly nonce: string
}

export interface DataDirectoryLock {
  release(): Promise<void>
}

const TRIES = 50 // each lost try means that another starter moved on; more than a few never happen

/**
 * Makes the directory if it is missing and takes its lock.
 * @throws StartError "already running, pid N" when a living process holds it.
 */
export async function lockDataDirectory(dataDir: string): Promise<DataDirectoryLock> {
  await openDataDirectory(dataDir)
  const me = identityOf(process.pid)
  if (me === undefined) throw new Error('This process cannot find out when it started.')
  const holder: Holder = { ...me, nonce: randomUUID() }
  const path = lockPath(dataDir)
  const owner = await take(path, holder)
  if (owner !== undefined) {
    throw new StartError(
      `Countinghouse is already running, pid ${owner.pid}, on ${dataDir}. ` +
        `Stop it with: kill ${owner.pid}, or use another data directory: --data DIR.`,
    )
  }
  return {
    release: async () => {
      if ((await readHolder(path))?.nonce === holder.nonce) await rm(path, { force: true })
    },
  }
}

/** The pid of the living process that supervises this directory, if there is one. */
export async function supervisorOf(dataDir: string): Promise<number | undefined> {
  const holder = await readHolder(lockPath(dataDir))
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined
}

function lockPath(dataDir: string): string {
  return join(dataDir, 'lock')
}

/** Undefined when the lock is mine now, else the living process that has it. */
async function take(path: string, me: Holder): Promise<Holder | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (await createHolder(path, me)) return undefined
    const holder = await readHolder(path)
    if (holder === undefined) continue
    if (isAlive(holder)) return holder
    const heirPath = `${path}.${holder.nonce}`
    const otherHeir = await take(heirPath, me)
    if (otherHeir !== undefined) return otherHeir
    try {
      if ((await readHolder(path))?.nonce !== holder.nonce) continue
      await writeHolder(`${path}.mine.${me.nonce}`, me)
      await rename(`${path}.mine.${me.nonce}`, path)
      return undefined
    } finally {
      await rm(heirPath, { force: true })
    }
  }
  throw new StartError(`The lock ${path} changes hands all the time. Start one process only.`)
}

// link(2) fails when the name exists, and the file behind it is complete: no reader sees half of it.
async function createHolder(path: string, me: Holder): Promise<boolean> {
  const temporary = `${path}.mine.${me.nonce}`
  await writeHolder(temporary, me)
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeHolder(path: string, me: Holder): Promise<void> {
  await using file = await open(path, 'w', 0o600)
  await file.writeFile(JSON.stringify(me))
  await file.sync()
}

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { pid, started, nonce } = JSON.parse(text) as Partial<Holder>
    if (Number.isInteger(pid) && started && /^[0-9a-f-]{36}$/.test(nonce ?? '')) {
      return { pid: pid as number, started, nonce: nonce as string }
    }
  } catch {
    // A power cut can leave an empty file; it is treated as the lock of somebody dead.
  }
  return { pid: 0, started: '', nonce: 'unreadable' }
}
