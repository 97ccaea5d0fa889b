import { chown, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../start-error.ts'
import type { Binaries } from './binaries.ts'
import { replaceFile, syncPath } from './durable-files.ts'
import { runBinary } from './run-binary.ts'
import { directoryArgument } from './server-command.ts'
import { closedDirectory, type ServerUser } from './server-user.ts'

export const SUPERUSER = 'countinghouse'
export const SETTINGS_FILE = 'countinghouse.conf'
const CLUSTER_OPTIONS = [
  `--username=${SUPERUSER}`,
  '--auth=trust', // whoever reaches the socket is us: its directory is closed to everybody else
  '--encoding=UTF8',
  '--data-checksums',
  '--locale-provider=builtin', // no collation of the system, whose update would break our indexes
  '--builtin-locale=C.UTF-8',
]
const INITDB_MS = 120_000 // 1 s on a fast disk; a slow one syncs 1,000 files for a minute

/**
 * `pg` exists complete or not at all: initdb works below `pg.new`, whose outcome is renamed. Each
 * attempt has a directory of its own, because an initdb whose parent was killed runs on for a second
 * and must not write into the next attempt; its ground is taken away instead, and it gives up.
 */
export async function createCluster(
  dataDir: string,
  binaries: Binaries,
  user: ServerUser | undefined,
): Promise<void> {
  const workshop = join(dataDir, 'pg.new')
  await removeUnfinishedCluster(dataDir)
  await mkdir(workshop, { mode: 0o700 })
  const cluster = await mkdtemp(join(workshop, 'attempt-'))
  if (user !== undefined) await chown(cluster, user.uid, user.gid)
  const done = await runBinary(
    binaries.initdb,
    ['-D', directoryArgument(cluster, user), ...CLUSTER_OPTIONS],
    { user, directory: cluster, timeoutMs: INITDB_MS },
  )
  if (done.code !== 0) {
    const denied = user !== undefined && /Permission denied/.test(done.stderr)
    const closed = denied ? await closedDirectory(cluster, user) : undefined
    if (denied && closed !== undefined) {
      throw new StartError(
        `PostgreSQL does not run as root, and user ${user.name} may not enter ${closed}. ` +
          `Run: chmod o+x ${closed}, or use another data directory: --data DIR.`,
      )
    }
    const why = done.stderr.trim().split('\n').slice(-3).join(' / ') || `exit ${done.code}`
    throw new StartError(
      `PostgreSQL could not create its files in ${dataDir}: ${why}. ` +
        'Nothing was kept: remove the cause and start again.',
    )
  }
  const configuration = join(cluster, 'postgresql.conf')
  const written = await readFile(configuration, 'utf8')
  await replaceFile(configuration, `${written}\ninclude_if_exists = '${SETTINGS_FILE}'\n`, user)
  await rename(cluster, join(dataDir, 'pg'))
  await syncPath(dataDir)
  await removeUnfinishedCluster(dataDir)
}

/** Retries, since an orphaned initdb may still be adding files. */
export async function removeUnfinishedCluster(dataDir: string): Promise<void> {
  const workshop = join(dataDir, 'pg.new')
  await rm(workshop, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
