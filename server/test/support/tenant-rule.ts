import { TABLE } from './boundaries.ts'
import { readMigrations, schemasOf } from './migration-files.ts'
import { type SourceFile, lineAt } from './source-tree.ts'

/** Statements that rightly see more than one tenant, each with its reason. */
const acrossTenants: readonly { table: string; file?: string; because: string }[] = [
  {
    table: 'identity.tenants',
    because: 'the list of tenants itself',
  },
  {
    table: 'identity.clients',
    file: 'identity/clients/client.queries.ts',
    because: 'a client is found by its id before its tenant is known, and its id is unique',
  },
  {
    table: 'identity.artifacts',
    because: 'found by the hash of a random id, which is the authority; expiry knows no tenant',
  },
  { table: 'identity.replays', because: 'one-time ids of the install, unique by their hash' },
  { table: 'identity.signing_keys', because: 'one key ring signs for the whole install' },
]

/** Statements in `server/src` that touch a module's table and do not name `tenant_id`. */
export function statementsWithoutTenant(file: SourceFile): string[] {
  return bareStatements(file)
    .filter(({ table }) => !acrossTenants.some((one) => excepts(one, file.path, table)))
    .map(({ table, line }) => `${file.path}:${line}: ${table}`)
}

export function unneededExceptions(files: readonly SourceFile[]): string[] {
  const bare = files.flatMap((file) =>
    bareStatements(file).map(({ table }) => ({ table, path: file.path })),
  )
  return acrossTenants
    .filter((one) => !bare.some(({ table, path }) => excepts(one, path, table)))
    .map(({ table, file }) => `${table} in ${file ?? 'any file'}`)
}

function excepts(one: (typeof acrossTenants)[number], path: string, table: string): boolean {
  return one.table === table && (one.file === undefined || path.endsWith(one.file))
}

const schemas = schemasOf(readMigrations())

function bareStatements({ code }: SourceFile) {
  return [...code.matchAll(TABLE)]
    .filter((match) => schemas.has(match[1] ?? ''))
    .filter((match) => !/\btenant_?id\b/i.test(statementAt(code, match.index)))
    .map((match) => ({ table: `${match[1]}.${match[2]}`, line: lineAt(code, match.index) }))
}

/** The template literal around the place, or else the whole declaration it stands in. */
function statementAt(code: string, index: number): string {
  for (const literal of code.matchAll(/`(?:[^`\\]|\\.)*`/g)) {
    if (literal.index < index && index < literal.index + literal[0].length) return literal[0]
  }
  const starts = [...code.matchAll(/^[^\s})\]]/gm)].map((match) => match.index)
  return code.slice(
    starts.findLast((start) => start <= index),
    starts.find((start) => start > index),
  )
}
