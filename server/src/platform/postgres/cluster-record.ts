import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from './durable-files.ts'

/** `pg.json` in the data directory: how another process of this data directory finds the database. */
export interface ClusterRecord {
  readonly cluster_directory: string
  readonly system_identifier: string
  /** Directory of the socket; below the system's temporary directory when the data's path is long. */
  readonly socket_directory: string
  readonly server_version: string
}

export async function writeClusterRecord(dataDir: string, record: ClusterRecord): Promise<void> {
  await replaceFile(recordPath(dataDir), `${JSON.stringify(record, null, 2)}\n`)
}

/** Undefined when it is missing, damaged, or came with a copy of another data directory. */
export async function readClusterRecord(dataDir: string): Promise<ClusterRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(recordPath(dataDir), 'utf8')) as ClusterRecord
    const clusterDir = join(await realpath(dataDir), 'pg')
    return record.cluster_directory === clusterDir ? record : undefined
  } catch {
    return undefined
  }
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'pg.json')
}
