import { spawn, type ChildProcess } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { commandLineOf, identityOf } from './process-identity.ts'
import { serverEnvironment } from './run-binary.ts'
import type { ServerUser } from './server-user.ts'

/**
 * How a PostgreSQL of ours is started, and how one is recognised.
 *
 * Started as root on Linux it runs as another user, who may not enter the data directory (mode 700:
 * it also holds keys) nor, often, what is above it. It need not: it is given its cluster as working
 * directory while we are still root, and calls it `/proc/self/cwd`. The command line would then not
 * tell which cluster it serves; so its last argument does, for us and for whoever reads `ps`.
 */
export function directoryArgument(clusterDir: string, user: ServerUser | undefined): string {
  return user !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : clusterDir
}

const MARK = 'countinghouse.cluster='

export interface Launch {
  readonly postgres: string
  readonly clusterDir: string
  readonly socketDirectory: string
  readonly user: ServerUser | undefined
  /** Descriptor that takes the server's output. */
  readonly log: number
}

/** In a process group of its own: Ctrl-C reaches us alone, and we stop it when we have drained. */
export function launchServer(launch: Launch): ChildProcess {
  const { postgres, clusterDir, socketDirectory, user, log } = launch
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${quoteDirectory(socketDirectory)}`,
    `port=${SOCKET_PORT}`,
    `${MARK}${clusterDir}`,
  ]
  return spawn(
    postgres,
    ['-D', directoryArgument(clusterDir, user), ...settings.flatMap((setting) => ['-c', setting])],
    {
      cwd: clusterDir,
      env: serverEnvironment,
      detached: true,
      stdio: ['ignore', log, log],
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    },
  )
}

/** Only a part of the socket's name: nothing listens on a network. */
export const SOCKET_PORT = 5432

/**
 * Who has the pid that `postmaster.pid` names: `ours` started by this program for this cluster;
 * `stranger` started by hand for it; `unrelated` one that only got the same pid, or has ended;
 * `unknown` some PostgreSQL process that does not tell what it serves.
 */
export type Standing = 'dead' | 'ours' | 'stranger' | 'unrelated' | 'unknown'

export function standingOf(pid: number, clusterDir: string): Standing {
  if (!hasPid(pid)) return 'dead'
  if (identityOf(pid) === undefined) return 'unrelated' // a zombie: PostgreSQL would take it for alive
  const line = commandLineOf(pid)
  if (line.endsWith(` ${MARK}${clusterDir}`)) return 'ours'
  if (!/^postgres:|^(\S*\/)?postgres(\s|$)/.test(line)) return 'unrelated'
  const [, marked] = new RegExp(`${MARK}(.*\\S)`).exec(line) ?? []
  const [, named] = / -D (\/\S+)/.exec(line) ?? []
  const served = realPath(marked ?? named)
  if (served === undefined) return 'unknown'
  return served === clusterDir ? 'stranger' : 'unrelated'
}

function hasPid(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function realPath(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : realpathSync(path)
  } catch {
    return undefined
  }
}

// The setting is a list, and a quoted element may hold commas and spaces.
function quoteDirectory(path: string): string {
  return `"${path.replaceAll('"', '""')}"`
}
