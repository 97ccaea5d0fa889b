import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * A pid alone says little: after a crash it may belong to somebody else. Together with the moment at
 * which that process started it names one process for ever.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Linux: boot id, pid namespace and clock ticks since boot; macOS: the start as `ps` prints it. */
  readonly started: string
}

/** Who has this pid now; undefined when nobody has, or only a zombie that waits to be reaped. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid)
  return started === undefined ? undefined : { pid, started }
}

export function isAlive({ pid, started }: ProcessIdentity): boolean {
  return identityOf(pid)?.started === started
}

/** The command line of a process, its arguments joined by spaces; empty if it cannot be read. */
export function commandLineOf(pid: number): string {
  if (process.platform !== 'linux') return ps(pid, 'command=')
  return (readText(`/proc/${pid}/cmdline`) ?? '').replace(/\0+$/, '').replaceAll('\0', ' ')
}

function startedOnLinux(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field is the program's name in brackets and may itself hold spaces and brackets.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return undefined
  return `${bootId()} ${pidNamespace()} ${rest[18] ?? ''}`
}

function startedByPs(pid: number): string | undefined {
  const [, started, state] = /^(.*\S)\s+(\S+)$/.exec(ps(pid, 'lstart=,stat=')) ?? []
  return state === undefined || state.startsWith('Z') ? undefined : started
}

// Two containers on one volume count their pids apart: a pid of another namespace proves nothing.
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function bootId(): string {
  return (readText('/proc/sys/kernel/random/boot_id') ?? '').trim()
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function ps(pid: number, columns: string): string {
  try {
    const options = ['-ww', '-o', columns, '-p', `${pid}`]
    return execFileSync('ps', options, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}
