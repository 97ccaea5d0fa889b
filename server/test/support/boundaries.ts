import { dirname, join, normalize } from 'node:path/posix'
import { type SourceFile, lineAt } from './source-tree.ts'

/** What `server/architecture.ts` allows, and which PostgreSQL schemas there are to own. */
export interface Boundaries {
  readonly layers: Readonly<Record<string, readonly string[]>>
  readonly exceptions: readonly { readonly from: string; readonly file: string }[]
  readonly schemas: ReadonlySet<string>
}

/** What was seen matters as much as what is wrong: a checker that finds nothing passes. */
export interface Findings {
  readonly imports: number
  readonly tables: ReadonlySet<string>
  readonly edges: ReadonlySet<string>
  readonly problems: readonly string[]
}

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g
export const TABLE =
  /(?:(?:selectFrom|insertInto|updateTable|deleteFrom|mergeInto|\w+Join)\(\s*\[?\s*'|(?<!\bdistinct )\b(?:from|join|into|update)\s+)([a-z_]+)\.([a-z_]+)/g

/** Checks files below `server/src`, whose paths are relative to it. */
export function checkBoundaries(files: readonly SourceFile[], rules: Boundaries): Findings {
  const paths = new Set(files.map(({ path }) => path))
  const tables = new Set<string>()
  const edges = new Set<string>()
  const problems = upwardEdges(rules)
  const importsOf = new Map<string, string[]>()
  for (const file of files) {
    const layer = layerOf(file.path)
    if (!(layer in rules.layers)) problems.push(`${file.path}: in no layer of architecture.ts`)
    const imported = importsIn(file)
    importsOf.set(
      file.path,
      imported.map(({ target }) => target),
    )
    for (const { target, line } of imported) {
      edges.add(`${layer} -> ${layerOf(target)}`)
      const problem = importProblem(file.path, target, paths, rules)
      if (problem !== undefined) problems.push(`${file.path}:${line}: ${problem}`)
    }
    for (const { schema, table, line } of tablesIn(file, rules)) {
      tables.add(`${schema}.${table}`)
      const problem = tableProblem(file.path, schema, table)
      if (problem !== undefined) problems.push(`${file.path}:${line}: ${problem}`)
    }
  }
  problems.push(...cycles(importsOf).map((cycle) => `import cycle: ${cycle.join(' -> ')}`))
  const imports = [...importsOf.values()].reduce((sum, targets) => sum + targets.length, 0)
  return { imports, tables, edges, problems }
}

/** `modules/payments/x.ts` is of `payments`, `platform/x.ts` of `platform`, and `main.ts` of `app`. */
function layerOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  if (first === 'modules') return second
  return path.includes('/') ? first : 'app'
}

function importsIn({ path, code }: SourceFile) {
  return [...code.matchAll(IMPORT)].map((match) => ({
    target: normalize(join(dirname(path), match[1] ?? '')),
    line: lineAt(code, match.index),
  }))
}

function tablesIn({ code }: SourceFile, { schemas }: Boundaries) {
  return [...code.matchAll(TABLE)]
    .map((match) => ({
      schema: match[1] ?? '',
      table: match[2] ?? '',
      line: lineAt(code, match.index),
    }))
    .filter(({ schema }) => schemas.has(schema))
}

function upwardEdges({ layers }: Boundaries): string[] {
  const order = Object.keys(layers)
  return Object.entries(layers).flatMap(([layer, named]) =>
    named
      .filter((lower) => !order.slice(0, order.indexOf(layer)).includes(lower))
      .map((lower) => `architecture.ts: ${layer} names ${lower}, which does not stand above it`),
  )
}

function importProblem(
  from: string,
  to: string,
  paths: ReadonlySet<string>,
  { layers, exceptions }: Boundaries,
): string | undefined {
  if (to.startsWith('../')) {
    if (to === '../package.json') return undefined
    const support = to.startsWith('../test/support/') && from.endsWith('.test.ts')
    return support ? undefined : `imports ${to}: only a test may look outside src, at test/support`
  }
  if (!paths.has(to) && !to.endsWith('.gen.ts')) return `imports ${to}, which does not exist`
  if (to.endsWith('.test.ts')) return `imports ${to}: a test is imported by nobody`
  const [upper, lower] = [layerOf(from), layerOf(to)]
  if (upper === lower || lower === 'platform') return undefined
  if (exceptions.some((one) => one.from === upper && one.file === to)) return undefined
  if (!(layers[upper] ?? []).includes(lower)) {
    return `${upper} may not import ${lower}: call down, or emit an event that ${lower} hears`
  }
  if (to === `modules/${lower}/index.ts`) return undefined
  return `imports ${to}: other layers see modules/${lower}/index.ts only`
}

// `reporting` also reads what the owners publish for it, and tests may look at what was stored.
function tableProblem(path: string, schema: string, table: string): string | undefined {
  const layer = layerOf(path)
  if (layer === schema || path.endsWith('.test.ts')) return undefined
  if (layer === 'reporting' && table.startsWith('report_')) return undefined
  return `names ${schema}.${table}: ${layer} owns only the schema of its name; call ${schema} instead`
}

/** Each cycle once, from the file that sorts first. */
function cycles(importsOf: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string) => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      found.push([...trail.slice(start), path])
      return
    }
    if (done.has(path)) return
    trail.push(path)
    for (const target of importsOf.get(path) ?? []) visit(target)
    trail.pop()
    done.add(path)
  }
  for (const path of importsOf.keys()) visit(path)
  return found
}
