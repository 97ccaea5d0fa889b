import { readFileSync, readdirSync } from 'node:fs'

/** CPU time as Linux counts it. Elsewhere nothing is known, and the report says so. */

const TICK_MICROS = 10_000 // USER_HZ is 100 on every Linux that Node supports

/** Microseconds that one process has used so far, or undefined where /proc does not tell. */
export function cpuMicrosOf(pid: number): number | undefined {
  const fields = statOf(pid)
  return fields && (Number(fields[UTIME]) + Number(fields[STIME])) * TICK_MICROS
}

/** The same of a server and all its children, those included that have ended and been waited for. */
export function cpuMicrosOfTree(pid: number): number | undefined {
  const fields = statOf(pid)
  if (fields === undefined) return undefined
  let ticks = [UTIME, STIME, CUTIME, CSTIME].reduce((sum, at) => sum + Number(fields[at]), 0)
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (child !== undefined && Number(child[PPID]) === pid) {
      ticks += Number(child[UTIME]) + Number(child[STIME])
    }
  }
  return ticks * TICK_MICROS
}

// Places of proc_pid_stat(5), counted behind the name in brackets, which may hold blanks.
const PPID = 1
const UTIME = 11
const STIME = 12
const CUTIME = 13
const CSTIME = 14

function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
