import { execFile } from 'node:child_process'
import type { ServerUser } from './server-user.ts'

/** What PostgreSQL's programs see of our environment: no PG* variable, locale or zone leaks in. */
export const serverEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

export interface Finished {
  /** Exit code, or why there is none: `ENOENT`, `EACCES`, the name of a signal. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end as the given user; never rejects. */
export function runBinary(
  path: string,
  programArguments: readonly string[],
  { user, directory, timeoutMs }: Where,
): Promise<Finished> {
  const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid }
  const options = { cwd: directory, env: serverEnvironment, timeout: timeoutMs, ...identity }
  return new Promise((resolve) => {
    execFile(path, programArguments, options, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : (error.code ?? error.signal ?? 'failed'),
        stdout,
        stderr,
      })
    })
  })
}

interface Where {
  readonly user: ServerUser | undefined
  readonly directory: string
  readonly timeoutMs: number
}
