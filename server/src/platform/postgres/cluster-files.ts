import { constants, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../start-error.ts'

/** What the running server has written into `postmaster.pid`; lines come one by one as it starts. */
export interface PostmasterFile {
  readonly pid: number
  readonly socketDirectory: string | undefined
}

export async function readPostmasterFile(clusterDir: string): Promise<PostmasterFile | undefined> {
  const lines = (await readIfThere(join(clusterDir, 'postmaster.pid')))?.split('\n')
  const pid = Number(lines?.[0])
  if (lines === undefined || !Number.isInteger(pid) || pid <= 0) return undefined
  const socketDirectory = lines[4] || undefined
  return { pid, socketDirectory: socketDirectory === '.' ? clusterDir : socketDirectory }
}

const IMPOSSIBLE_PID = 2_147_483_646 // above every kernel's limit: no process will ever have it

/**
 * After a crash the pid in `postmaster.pid` may have gone to some other program, and PostgreSQL
 * would refuse to start beside it. Removing the file would also switch off its second check, that no
 * orphan of the old server is still attached to shared memory. So only the pid is made impossible,
 * and PostgreSQL itself decides about the rest.
 */
export async function disownPostmasterFile(clusterDir: string): Promise<void> {
  // Written in place, so that the owner stays; root follows no link that the owner may have laid.
  const flags = constants.O_RDWR | constants.O_NOFOLLOW
  await using file = await open(join(clusterDir, 'postmaster.pid'), flags)
  const text = await file.readFile('utf8')
  await file.write(text.replace(/^.*/, `${IMPOSSIBLE_PID}`), 0)
}

/** The major version that wrote the cluster; undefined when there is no cluster yet. */
export async function clusterMajor(clusterDir: string): Promise<number | undefined> {
  const version = await readIfThere(join(clusterDir, 'PG_VERSION'))
  return version === undefined ? undefined : Number(version.trim())
}

/** 64 bits drawn by initdb, the first of `pg_control` in every version: which cluster this is. */
export async function systemIdentifier(clusterDir: string): Promise<string> {
  await using file = await open(join(clusterDir, 'global', 'pg_control'), 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
  if (bytesRead !== 8) {
    throw new StartError(
      `${clusterDir}/global/pg_control is damaged. Put back a copy of the data directory.`,
    )
  }
  return `${buffer.readBigUInt64LE()}` // both platforms are little-endian
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
