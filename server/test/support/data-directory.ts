import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import pg from 'pg'
import { connectionTo, DATABASE, startEmbedded } from '../../src/platform/postgres/index.ts'
import { stopLeftServer } from '../../src/platform/postgres/stop-server.ts'

/** An empty data directory; what still runs on it after the test is stopped, and it is removed. */
export async function givenDataDirectory(t: TestContext, below = ''): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'countinghouse-start-'))
  const dataDir = join(root, below, 'data')
  t.after(async () => {
    await stopLeftServer(join(dataDir, 'pg'))
    await rm(root, { recursive: true, force: true, maxRetries: 20 })
  })
  return dataDir
}

let stopped: Promise<string> | undefined
after(async () => {
  if (stopped !== undefined) await rm(dirname(await stopped), { recursive: true, force: true })
})

/** As above, with a cluster in it that was started and stopped once: initdb's second is saved. */
export async function givenStoppedCluster(t: TestContext, below = ''): Promise<string> {
  const dataDir = await givenDataDirectory(t, below)
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 })
  await promisify(execFile)('cp', ['-a', await (stopped ??= stoppedCluster()), dataDir])
  return dataDir
}

async function stoppedCluster(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'countinghouse-start-'))
  const embedded = await startEmbedded({ dataDir: join(root, 'data'), settings: smallSettings })
  await embedded.stop()
  return join(root, 'data')
}

/** Small and quick to start. */
export const smallSettings = { shared_buffers: '16MB', max_connections: '20' }

/**
 * A Node process of its own that runs `code`, in which `postgres` is the embedded PostgreSQL's
 * index.ts, `dataDir` its directory and `settings` small. It stays until it is killed.
 */
export function startProcess(
  t: TestContext,
  dataDir: string,
  code: string,
  how: Pick<SpawnOptions, 'uid' | 'gid' | 'detached'> = {},
): ChildProcess {
  const index = new URL('../../src/platform/postgres/index.ts', import.meta.url).href
  const program = `
    import * as postgres from ${JSON.stringify(index)}
    const dataDir = ${JSON.stringify(dataDir)}
    const settings = ${JSON.stringify(smallSettings)}
    setInterval(() => undefined, 60_000)
    ${code}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...how,
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** The first line that the process prints; rejects when it ends before. */
export async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const part of child.stdout ?? []) {
    text += String(part)
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
  throw new Error(`The process ended without a line: ${text}`)
}

/** `kill -9`, and waits until the process is gone. */
export async function killHard(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

export async function query<Row extends object>(socketDir: string, text: string): Promise<Row[]> {
  const client = new pg.Client(connectionTo({ socketDir }, DATABASE))
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
