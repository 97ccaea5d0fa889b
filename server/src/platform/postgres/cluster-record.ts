import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from './durable-files.ts'

/** `pg.json` in the data directory: how another process of this data directory finds the database. */
export interface ClusterRecord {
  readonly system_identifier: string
  /** Directory of the socket; below the system's temporary directory when the data's path is long. */
  readonly socket_directory: string
  readonly server_version: string
}

export async function writeClusterRecord(dataDir: string, record: ClusterRecord): Promise<void> {
  await replaceFile(recordPath(dataDir), `${JSON.stringify(record, null, 2)}\n`)
}

export async function readClusterRecord(dataDir: string): Promise<ClusterRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordPath(dataDir), 'utf8')) as ClusterRecord
  } catch {
    return undefined // missing, or damaged: the next start writes it anew
  }
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'pg.json')
}
