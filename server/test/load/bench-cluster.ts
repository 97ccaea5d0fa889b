import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DATABASE,
  type EmbeddedPostgres,
  connectionTo,
  lockDataDirectory,
  startEmbedded,
  supervisorOf,
} from '../../src/platform/postgres/index.ts'
import { stopLeftServer } from '../../src/platform/postgres/stop-server.ts'

/** A PostgreSQL exactly as `npm start` runs it, in a directory that goes away with it. */
export interface BenchCluster {
  readonly directory: string
  readonly postgres: EmbeddedPostgres
  readonly connection: ReturnType<typeof connectionTo>
  connectionTo(database: string): ReturnType<typeof connectionTo>
  stop(): Promise<void>
}

const PREFIX = 'countinghouse-bench-'

export async function startBenchCluster(): Promise<BenchCluster> {
  await removeAbandoned()
  const directory = await mkdtemp(join(tmpdir(), PREFIX))
  await lockDataDirectory(directory) // held as long as this process lives: see removeAbandoned
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 })
  try {
    const postgres = await startEmbedded({ dataDir: directory })
    return {
      directory,
      postgres,
      connection: connectionTo(postgres, DATABASE),
      connectionTo: (database) => connectionTo(postgres, database),
      stop: async () => {
        await postgres.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

// A run that was killed with -9 leaves its server. Only what a dead process had locked is touched.
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const directory = join(tmpdir(), name)
    if (!name.startsWith(PREFIX)) continue
    const names = await readdir(directory).catch((): string[] => [])
    if (!names.includes('lock') || (await supervisorOf(directory)) !== undefined) continue
    await stopLeftServer(join(directory, 'pg'))
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
