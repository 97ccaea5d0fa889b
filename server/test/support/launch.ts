import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { SERVER } from './source-tree.ts'

/** The command as a person starts it, in a process of its own. */
export interface Launched {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
  /** Milliseconds from the launch until `text` was on stdout; rejects when the process ends before. */
  sees(text: string): Promise<number>
}

const BIN = join(SERVER, 'bin', 'countinghouse.js')
const LIMIT_MS = 90_000 // a loaded machine; a first start takes some 6 s on an idle one

/** What it started ends with the test: the process here, its database with the data directory. */
export function launch(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  node: string = process.execPath,
): Launched {
  const began = performance.now()
  const child = spawn(node, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    async sees(text) {
      while (!stdout.includes(text)) {
        const late = performance.now() - began > LIMIT_MS
        if (late || child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`"${text}" was not seen:\n${stdout}\n${stderr}`)
        }
        await sleep(10)
      }
      return performance.now() - began
    },
  }
}
