import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { surroundings } from '../../platform/config/environment.ts'
import { StartError } from '../../platform/start-error.ts'
import { readCredentials } from '../credentials.ts'
import type { DemoServer } from './find-server.ts'
import { isFree } from '../ports.ts'

/**
 * A server for this run alone, as `countinghouse start` makes one: a process of its own, on free
 * ports, with a database in a directory that goes when the server does. Settings of ours do not
 * reach it, least of all a database. It ends when its stdin does, so that it outlives nobody; being
 * in a process group of its own, it does not hear Ctrl-C and is stopped once, in good order.
 */
export interface OwnServer extends DemoServer {
  stop(): Promise<void>
}

const BIN = fileURLToPath(new URL('../../../bin/countinghouse.js', import.meta.url))
const END_WITH_PARENT = new URL('./end-with-parent.ts', import.meta.url).href
const START_MS = 90_000 // A first start takes some 5 s; a loaded machine ten times that.
const STOP_MS = 45_000 // The server gives up draining after 40 s.

export async function startOwnServer(
  stopped: AbortSignal,
  flags: readonly string[] = [],
): Promise<OwnServer> {
  await using cleanup = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'countinghouse-demo-'))
  cleanup.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20 }))
  const port = await freePort()
  const child = launch(['start', '--json', '--data', dataDir, ...flagsOf(port), ...flags])
  cleanup.defer(() => end(child))
  await ready(child, stopped)
  const credentials = await readCredentials(dataDir)
  if (credentials === undefined) throw new StartError('The server made no sample data.')
  const running = cleanup.move()
  return {
    credentials,
    note: `started for this run on ${dataDir}, which is removed afterwards`,
    stop: () => running.disposeAsync(),
  }
}

function flagsOf(port: number): string[] {
  return ['--port', `${port}`, '--gateway-port', `${port + 1}`]
}

function launch(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', END_WITH_PARENT, BIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: environment(),
  })
}

function environment(): Record<string, string | undefined> {
  const ours = /^(?:COUNTINGHOUSE_.*|DATABASE_URL|NODE_ENV)$/
  return Object.fromEntries(Object.entries(surroundings().env).filter(([name]) => !ours.test(name)))
}

/** Its first line on stdout says that it is ready; ending before is explained on stderr. */
async function ready(child: ChildProcess, stopped: AbortSignal): Promise<void> {
  const words: string[] = []
  child.stderr?.on('data', (data: Buffer) => words.push(data.toString()))
  child.stdin?.on('error', () => undefined) // it is gone, which its exit tells
  const line = new Promise((resolve) => child.stdout?.once('data', resolve))
  const outcome = await Promise.race([
    line.then(() => undefined),
    once(child, 'close').then(() => `did not start. ${words.join('').trim()}`),
    once(stopped, 'abort').then(() => 'was not waited for.'),
    sleep(START_MS, `was not ready within ${START_MS / 1000} s.`, { ref: false }),
  ])
  stopped.throwIfAborted()
  if (outcome !== undefined) throw new StartError(`The server for the demo ${outcome}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.stdin?.end()
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(late)
}

// Issuer and credentials carry the port, so it is chosen before the server binds it. Below the
// ephemeral range ports are handed out by nobody: one that is free now stays free for these seconds.
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}
