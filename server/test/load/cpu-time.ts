import { readFileSync, readdirSync } from 'node:fs'

/** CPU time in microseconds, as Linux counts it. Elsewhere it is NaN, and the report says so. */

const TICK_MICROS = 10_000 // USER_HZ is 100 on every Linux that Node supports

// Places of proc_pid_stat(5), counted behind the name in brackets, which may hold blanks.
const PPID = 1
const UTIME = 11
const STIME = 12
const CUTIME = 13
const CSTIME = 14

/** What one process has used. */
export function cpuMicrosOf(pid: number): number {
  return ticks(statOf(pid), [UTIME, STIME]) * TICK_MICROS
}

/** The same of a server and its children, those included that have ended and been waited for. */
export function cpuMicrosOfTree(pid: number): number {
  const server = statOf(pid)
  if (server === undefined) return Number.NaN
  let sum = ticks(server, [UTIME, STIME, CUTIME, CSTIME])
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (child !== undefined && Number(child[PPID]) === pid) sum += ticks(child, [UTIME, STIME])
  }
  return sum * TICK_MICROS
}

function ticks(stat: readonly string[] | undefined, places: readonly number[]): number {
  if (stat === undefined) return Number.NaN
  return places.reduce((sum, place) => sum + Number(stat[place]), 0)
}

function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // not Linux, or the process has just ended
  }
}
