import { spawn } from 'node:child_process'
import { access, constants, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Connection } from '../../src/platform/postgres/index.ts'
import { cpuMicrosOf } from './cpu-time.ts'

/** PostgreSQL's own benchmark, TPC-B-like, against the same server in a database of its own. */
export interface PgBench {
  readonly version: string
  /** Makes the tables: some 750 MB at scale 50. */
  initialise(): Promise<void>
  run(seconds: number): Promise<PgBenchResult>
}

export interface PgBenchResult {
  readonly tps: number
  readonly averageMs: number
  readonly transactions: number
  readonly cpuMicros: number
}

const SCALE = 50 // fewer branches than clients would make it wait for locks, and us look good
const CLIENTS = 16
const THREADS = 2
const POLL_MS = 50

/** Undefined where there is none: the embedded PostgreSQL brings no tools. */
export async function findPgBench(
  connection: Connection,
  signal: AbortSignal,
): Promise<PgBench | undefined> {
  const path = await findProgram('pgbench')
  if (path === undefined) return undefined
  const { host, port, user, database } = connection
  const where = ['-h', host, '-p', `${port}`, '-U', user]
  const call = (args: readonly string[]) => execute(path, args, signal)
  return {
    version: (await call(['--version'])).output.trim(),
    async initialise() {
      await call([...where, '-i', '-q', '-s', `${SCALE}`, database])
    },
    async run(seconds) {
      const shape = ['-c', `${CLIENTS}`, '-j', `${THREADS}`, '-M', 'prepared', '-n']
      const { output, cpuMicros } = await call([
        ...where,
        ...shape,
        '-T',
        `${Math.max(1, Math.round(seconds))}`,
        database,
      ])
      return {
        tps: found(output, /tps = ([\d.]+)/),
        averageMs: found(output, /latency average = ([\d.]+) ms/),
        transactions: found(output, /transactions actually processed: (\d+)/),
        cpuMicros,
      }
    },
  }
}

function found(output: string, pattern: RegExp): number {
  const [, text] = pattern.exec(output) ?? []
  if (text === undefined) throw new Error(`pgbench said something else:\n${output}`)
  return Number(text)
}

async function findProgram(name: string): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch((): string[] => [])
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions
      .toSorted()
      .toReversed()
      .map((version) => join(debian, version, 'bin')),
  ]
  for (const folder of folders) {
    const path = join(folder, name)
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (there) return path
  }
  return undefined
}

async function execute(path: string, args: readonly string[], signal: AbortSignal) {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], signal })
  let output = ''
  let errors = ''
  let cpuMicros = 0
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  // What it has used is gone from /proc once it ended.
  const timer = setInterval(() => {
    const now = cpuMicrosOf(child.pid ?? 0)
    if (now > cpuMicros) cpuMicros = now
  }, POLL_MS)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (code !== 0) throw new Error(`pgbench ${args.join(' ')} ended with ${code}:\n${errors}`)
    return { output, cpuMicros }
  } finally {
    clearInterval(timer)
  }
}
