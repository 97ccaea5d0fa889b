import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
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

const NOT_OURS = new Set(['node_modules', '.git', '.countinghouse', 'dist', 'bench-profile'])

/** Every file below `folder`, in order, relative to it. */
export function listFiles(folder: string): string[] {
  const found = globSync('**/*', {
    cwd: folder,
    withFileTypes: true,
    exclude: (entry) => NOT_OURS.has(entry.name),
  })
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted()
}

/** The TypeScript, JavaScript and SQL files below `folder`, but not what is generated. */
export function readSources(folder: string): SourceFile[] {
  return listFiles(folder)
    .filter((path) => /\.(?:ts|js|sql)$/.test(path) && !/\.gen\.ts$|^schema\.sql$/.test(path))
    .map((path) => {
      const text = readFileSync(join(folder, path), 'utf8')
      return {
        path,
        text,
        code: text.replaceAll(path.endsWith('.sql') ? SQL_COMMENT : COMMENT, blank),
      }
    })
}

// Good enough for formatted code: a `//` counts where a space or a line's start precedes it, so that
// the one in an address does not.
const COMMENT = /\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm
const SQL_COMMENT = /\/\*[^]*?\*\/|--.*$/gm

function blank(comment: string): string {
  return comment.replaceAll(/[^\n]/g, ' ')
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
