import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { readMigrations, schemasOf } from '../test/support/migration-files.ts'
import { migrate } from '../src/platform/db/migrate.ts'
import type { Connection } from '../src/platform/db/pools.ts'
import { startTestCluster } from '../test/support/cluster.ts'
import { eventCatalogue, openApiDocument } from './api-documents.ts'
import { databaseTypes } from './database-types.ts'
import { printSchema } from './print-schema.ts'

/**
 * `npm run generate` rewrites the files that are made from others; `npm run generate:check` makes
 * them too, writes nothing, and fails when one of the committed files differs.
 */

const ROOT = new URL('../../', import.meta.url)
const isCheck = process.argv.includes('--check')

const stale: string[] = []
for (const [path, text] of Object.entries(await generateAll())) {
  const file = fileURLToPath(new URL(path, ROOT))
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) continue
  stale.push(path)
  if (!isCheck) await writeFile(file, text)
}
report()

async function generateAll(): Promise<Record<string, string>> {
  const cluster = await startTestCluster()
  try {
    await migrate(cluster.connection)
    return {
      'events.json': eventCatalogue(),
      'openapi.json': await openApiDocument(cluster.connection),
      'schema.sql': await schemaOf(cluster.connection),
      'server/src/platform/db/schema.gen.ts': await databaseTypes(cluster.connection),
    }
  } finally {
    await cluster.stop()
  }
}

async function schemaOf(connection: Connection): Promise<string> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    return await printSchema(client, [...schemasOf(readMigrations())], 'countinghouse_app')
  } finally {
    await client.end()
  }
}

function report(): void {
  if (stale.length === 0) {
    console.log('Generated files are up to date.')
  } else if (isCheck) {
    console.error(
      `Stale: ${stale.join(', ')}. Run \`npm run generate\` and commit what it changes.`,
    )
    process.exitCode = 1
  } else {
    console.log(`Rewritten: ${stale.join(', ')}`)
  }
}
