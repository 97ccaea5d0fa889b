import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SERVER } from './source-tree.ts'

export interface MigrationFile {
  readonly name: string
  readonly text: string
}

export function readMigrations(folder: string = join(SERVER, 'migrations')): MigrationFile[] {
  const names = readdirSync(folder).toSorted()
  return names.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
}

/** The PostgreSQL schemas that the migrations make: one per module, and the platform's. */
export function schemasOf(migrations: readonly MigrationFile[]): Set<string> {
  const made = migrations.flatMap(({ text }) => [...text.matchAll(/^create schema (\w+);/gm)])
  return new Set(made.map((match) => match[1] ?? ''))
}
