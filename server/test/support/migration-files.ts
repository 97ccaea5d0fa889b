import { join } from 'node:path'
import { layers } from '../../architecture.ts'
import { SERVER, type SourceFile, readSources } from './source-tree.ts'

/** The numbered history of the schema, in order. Paths are bare file names. */
export function readMigrations(): SourceFile[] {
  return readSources(join(SERVER, 'migrations'))
}

/** The PostgreSQL schemas that migrations make: one per module, and the platform's. */
export function schemasOf(migrations: readonly SourceFile[]): Set<string> {
  const made = migrations.flatMap(({ code }) => [...code.matchAll(/^create schema (\w+);/gm)])
  return new Set(made.map((match) => match[1] ?? ''))
}

/** The runner accepts two files of one number in silence, so the names are checked here. */
export function misnumbered(names: readonly string[]): string[] {
  return names.filter((name, at) => {
    const [, number = '', module = ''] = /^(\d{4})_([a-z]+)_[a-z0-9_]+\.sql$/.exec(name) ?? []
    return Number(number) !== at + 1 || !(module in layers)
  })
}

/** Three header lines, then the lock timeout; a lone statement outside a transaction has none. */
export function hasHeader(text: string): boolean {
  const lines = text.split('\n')
  const lone = lines[0] === '-- transaction: none'
  const [why, lock, rollout, timeout] = lone ? lines.slice(1) : lines
  return (
    /^-- why: \S/.test(why ?? '') &&
    /^-- lock: \S/.test(lock ?? '') &&
    /^-- rollout: \S/.test(rollout ?? '') &&
    (lone || /^set local lock_timeout = '\d+s';$/.test(timeout ?? ''))
  )
}
