import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type SourceFile, readSources } from './source-tree.ts'

/** Writes files into a folder that the test removes, for checkers to find what was sown there. */
export function seedTree(t: TestContext, tree: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'countinghouse-seeded-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

export function seedSources(t: TestContext, tree: Readonly<Record<string, string>>): SourceFile[] {
  return readSources(seedTree(t, tree))
}
