import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StartError } from '../start-error.ts'

/**
 * PostgreSQL refuses to run as root. Started as root, we lend it another user: the owner of the
 * cluster if there is one, else `postgres`, else `nobody`. Started as anybody else, it runs as we do.
 */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
  readonly name: string
}

/** Undefined: no change of user, PostgreSQL runs as this process does. */
export async function serverUser(clusterDir: string): Promise<ServerUser | undefined> {
  const ownUid = process.getuid?.()
  const owner = await ownerOf(clusterDir)
  const users = await readUsers()
  if (ownUid !== 0) {
    if (owner === undefined || ownUid === undefined || owner === ownUid) return undefined
    const name = users.find(({ uid }) => uid === owner)?.name ?? `user ${owner}`
    throw new StartError(
      `${clusterDir} belongs to ${name}, this process runs as user ${ownUid}. ` +
        `Start it as ${name}, or run: chown -R ${ownUid} ${clusterDir}`,
    )
  }
  const user =
    users.find(({ uid }) => uid === owner && uid !== 0) ??
    users.find(({ name }) => name === 'postgres') ??
    users.find(({ name }) => name === 'nobody')
  if (user === undefined) {
    throw new StartError(
      'PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody. ' +
        'Run: useradd --system postgres, start as an ordinary user, or set DATABASE_URL.',
    )
  }
  if (owner !== undefined && owner !== user.uid) {
    const whose =
      owner === 0 ? 'root, as which PostgreSQL does not run' : `the unknown user ${owner}`
    throw new StartError(
      `${clusterDir} belongs to ${whose}. Run: chown -R ${user.uid}:${user.gid} ${clusterDir}`,
    )
  }
  return user
}

/** The first directory on the way to `path`, from the root down, that the user may not enter. */
export async function closedDirectory(path: string, user: ServerUser): Promise<string | undefined> {
  const ancestors: string[] = []
  for (let at = path; at !== dirname(at); at = dirname(at)) ancestors.unshift(dirname(at))
  for (const directory of ancestors) {
    const { mode, uid, gid } = await stat(directory)
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
    if (((mode >> shift) & 1) === 0) return directory
  }
  return undefined
}

async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).uid
  } catch {
    return undefined
  }
}

// A user that only a directory service knows is of no use here: initdb asks for an entry as well,
// and such accounts are people's, not a server's.
async function readUsers(): Promise<ServerUser[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '') // the barest images have none
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
