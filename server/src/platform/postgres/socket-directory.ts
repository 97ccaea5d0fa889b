import { chown, lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartError } from '../start-error.ts'
import { SOCKET_PORT } from './server-command.ts'
import { closedDirectory, type ServerUser } from './server-user.ts'

/**
 * The socket is the only door to the database and lets in whoever can reach it, so it stands in a
 * directory of mode 700 that belongs to the server's user: the cluster itself. The kernel's limit on
 * a socket's path is lower than on a file's; a cluster too deep for it gets a directory below the
 * system's temporary one.
 */
const PATH_LIMIT_BYTES = process.platform === 'darwin' ? 103 : 107

const SOCKET_NAME = `.s.PGSQL.${SOCKET_PORT}`

/**
 * The directory to listen in, as the server has to be told; `previous` is where it last listened.
 */
export async function socketDirectory(
  clusterDir: string,
  user: ServerUser | undefined,
  previous: string | undefined,
): Promise<string> {
  if (fits(clusterDir)) return '.' // the server works in its cluster, wherever that is
  // Pools that knew the last server find the next one at the same place.
  if (previous !== undefined && (await isPrivate(previous, user))) return previous
  for (const parent of new Set([tmpdir(), '/tmp'])) {
    if (!fits(join(parent, 'countinghouse-123456'))) continue
    if (user !== undefined && (await closedDirectory(join(parent, 'x'), user))) continue
    const directory = await mkdtemp(join(parent, 'countinghouse-'))
    if (user !== undefined) await chown(directory, user.uid, user.gid)
    return directory
  }
  throw new StartError(
    `The path ${clusterDir} is too long for a socket, and ${tmpdir()} does not serve instead. ` +
      'Use a shorter data directory: --data DIR.',
  )
}

/** Removes what was made below the temporary directory; the cluster stays. */
export async function removeSocketDirectory(
  directory: string,
  user: ServerUser | undefined,
): Promise<void> {
  if (await isPrivate(directory, user)) await rm(directory, { recursive: true, force: true })
}

/** Removes a dead server's socket and its lock, which names the same pid as `postmaster.pid` did. */
export async function removeStaleSocket(directory: string): Promise<void> {
  for (const name of [SOCKET_NAME, `${SOCKET_NAME}.lock`]) {
    await rm(join(directory, name), { force: true })
  }
}

const MADE = /\/countinghouse-[^/]{6}$/

// A reboot empties the temporary directory, and then anybody may have made one of this name.
async function isPrivate(directory: string, user: ServerUser | undefined): Promise<boolean> {
  if (!MADE.test(directory) || !fits(directory)) return false
  try {
    const found = await lstat(directory)
    const owner = user?.uid ?? process.getuid?.()
    return found.isDirectory() && found.uid === owner && (found.mode & 0o077) === 0
  } catch {
    return false
  }
}

function fits(directory: string): boolean {
  return Buffer.byteLength(join(directory, SOCKET_NAME)) <= PATH_LIMIT_BYTES
}
