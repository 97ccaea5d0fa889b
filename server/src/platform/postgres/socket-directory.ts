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

/** Where the socket goes: `listen` for the server, `connect` for clients. */
export interface SocketPlace {
  readonly listen: string
  readonly connect: string
}

export async function socketPlace(
  clusterDir: string,
  user: ServerUser | undefined,
): Promise<SocketPlace> {
  // The server's working directory is the cluster, so `.` works wherever that is.
  if (fits(clusterDir)) return { listen: '.', connect: clusterDir }
  for (const parent of new Set([tmpdir(), '/tmp'])) {
    if (!fits(join(parent, 'countinghouse-123456'))) continue
    if (user !== undefined && (await closedDirectory(join(parent, 'x'), user))) continue
    const directory = await mkdtemp(join(parent, 'countinghouse-'))
    if (user !== undefined) await chown(directory, user.uid, user.gid)
    return { listen: directory, connect: directory }
  }
  throw new StartError(
    `The path ${clusterDir} is too long for a socket, and ${tmpdir()} does not serve instead. ` +
      'Use a shorter data directory: --data DIR.',
  )
}

/** Removes a directory made by `socketPlace`; the cluster itself stays, whatever is passed. */
export async function removeSocketPlace(clusterDir: string, connect: string): Promise<void> {
  if (connect === clusterDir || !/\/countinghouse-[^/]{6}$/.test(connect)) return
  const isOurs = await lstat(connect).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isOurs) await rm(connect, { recursive: true, force: true })
}

function fits(directory: string): boolean {
  return Buffer.byteLength(join(directory, `.s.PGSQL.${SOCKET_PORT}`)) <= PATH_LIMIT_BYTES
}
