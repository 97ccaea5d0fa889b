import { mkdtemp, rm } from 'node:fs/promises'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../../src/platform/db/pools.ts'

/**
 * Stands between the service and its database and breaks what it is told to break. The most useful
 * fault is the swallowed COMMIT: the transaction is committed, and nobody hears of it.
 */
export interface FaultProxy {
  /** The same database, through the proxy. */
  readonly connection: Connection
  /** The next COMMITs reach the server; each answer is dropped and the connection reset. */
  swallowCommits(count: number): void
  /** How many answers to COMMIT have been swallowed. */
  readonly swallowed: number
  /** Answers take this much longer. */
  delay(ms: number): void
  /** New connections are turned away. */
  refuse(on: boolean): void
  /** Breaks every connection that is open now. */
  reset(): void
  close(): Promise<void>
}

export async function startFaultProxy(target: Connection): Promise<FaultProxy> {
  const pairs = new Set<Pair>()
  const faults = { commits: 0, swallowed: 0, delayMs: 0, refusing: false }
  const directory = await mkdtemp(join(tmpdir(), 'countinghouse-proxy-'))
  const port = target.port ?? 5432
  const server = createServer((client) => {
    if (faults.refusing) drop(client)
    else pairs.add(couple(client, connectTo(target, port)))
  })
  const overSocket = isPath(target.host)
  await listen(server, overSocket ? join(directory, `.s.PGSQL.${port}`) : undefined)

  function couple(client: Socket, upstream: Socket): Pair {
    const pair = { client, upstream }
    let swallow = false
    client.on('data', (bytes) => {
      if (faults.commits > 0 && COMMIT.test(bytes.toString('latin1'))) {
        faults.commits -= 1
        swallow = true
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (swallow) {
        faults.swallowed += 1
        breakPair(pair)
      } else if (faults.delayMs === 0) client.write(bytes)
      else void later(faults.delayMs, () => client.write(bytes))
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
    return pair
  }

  const { port: proxyPort } = (server.address() as { port?: number } | null) ?? {}
  return {
    connection: overSocket
      ? { ...target, host: directory }
      : { ...target, host: '127.0.0.1', ...(proxyPort !== undefined && { port: proxyPort }) },
    swallowCommits: (count) => {
      faults.commits = count
    },
    get swallowed() {
      return faults.swallowed
    },
    delay: (ms) => {
      faults.delayMs = ms
    },
    refuse: (on) => {
      faults.refusing = on
    },
    reset: () => {
      for (const pair of pairs) breakPair(pair)
    },
    async close() {
      for (const pair of pairs) breakPair(pair)
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
}

// The runner sends COMMIT as the end of a simple query, whose text ends in a zero byte.
const COMMIT = /commit\0/i

function breakPair({ client, upstream }: Pair): void {
  drop(client)
  upstream.destroy()
}

// Only TCP knows a reset; a Unix socket is just closed.
function drop(client: Socket): void {
  if (client.remoteFamily !== undefined) client.resetAndDestroy()
  else client.destroy()
}

function isPath(host: string | undefined): boolean {
  return host?.startsWith('/') ?? false
}

function connectTo({ host = '127.0.0.1' }: Connection, port: number): Socket {
  return isPath(host) ? connect(join(host, `.s.PGSQL.${port}`)) : connect(port, host)
}

function listen(server: Server, path: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
}

async function later(ms: number, write: () => void): Promise<void> {
  await sleep(ms)
  write()
}
