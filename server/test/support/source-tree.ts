import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The `server` folder. */
export const SERVER = fileURLToPath(new URL('../..', import.meta.url))

export interface SourceFile {
  /** Relative to the folder asked for, with forward slashes. */
  readonly path: string
  readonly text: string
  /** The text with its comments blanked out; line numbers stay. */
  readonly code: string
}

/** Every TypeScript file below `folder` but the generated ones, in order of path. */
export function readSources(folder: string): SourceFile[] {
  const paths = globSync('**/*.ts', { cwd: folder, exclude: ['**/node_modules', '**/*.gen.ts'] })
  return paths.toSorted().map((path) => {
    const text = readFileSync(join(folder, path), 'utf8')
    return { path: path.replaceAll('\\', '/'), text, code: withoutComments(text) }
  })
}

// Good enough for formatted code: a `//` counts where a space or a line's start precedes it, so that
// the one in an address does not.
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, (comment) =>
    comment.replaceAll(/[^\n]/g, ' '),
  )
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
