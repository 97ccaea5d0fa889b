import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'
import type { Client } from 'pg'

/** Where the numbers were taken: without it they mean nothing. */
export interface Environment {
  readonly takenAt: string
  readonly git: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly memoryMegabytes: number
  readonly postgres: string
  /** PostgreSQL's settings that decide about speed and safety. */
  readonly settings: Readonly<Record<string, string>>
  readonly pgbench: string
  readonly loadBefore: number
}

const SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'wal_compression',
  'shared_buffers',
  'checkpoint_timeout',
]

export async function environmentOf(
  client: Client,
  { pgbench, loadBefore }: { pgbench: string; loadBefore: number },
): Promise<Environment> {
  const version = await client.query<{ version: string }>('select version()')
  const settings = await client.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from pg_settings where name = any($1) order by name',
    [SETTINGS],
  )
  return {
    takenAt: new Date().toISOString(),
    git: gitState(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMegabytes: Math.round(totalmem() / 2 ** 20),
    postgres: version.rows[0]?.version ?? 'unknown',
    settings: Object.fromEntries(settings.rows.map(({ name, value }) => [name, value])),
    pgbench,
    loadBefore,
  }
}

/** The load average of the last minute. */
export function load(): number {
  return loadavg()[0] ?? Number.NaN
}

function gitState(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    const sha = git('rev-parse', '--short=12', 'HEAD')
    return git('status', '--porcelain') === '' ? sha : `${sha}, with changes`
  } catch {
    return 'unknown'
  }
}
