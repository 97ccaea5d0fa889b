import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyBaseLogger } from 'fastify'
import { StartError } from '../platform/start-error.ts'

/**
 * The sandbox gateway beside us, in a process of its own as a real one would be. In its own process
 * group, so that Ctrl-C leaves it alone while we drain; it ends when its stdin does, so that a
 * killed parent leaves no orphan on the port. If it dies it is started again.
 */
export interface GatewayProcess {
  stop(): Promise<void>
}

interface GatewayOptions {
  readonly port: number
  /** Where it keeps its journal. */
  readonly dataDir: string
  readonly logger: FastifyBaseLogger
}

const PROGRAM = fileURLToPath(new URL('../sandbox-gateway/main.ts', import.meta.url))
const RESTART_MS = 1_000 // at once would spin when it cannot start
const STOP_MS = 5_000

/** Answers once the gateway listens. */
export async function startGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const { logger } = options
  let stopping = false
  let child = launch(options)
  await listening(child)
  watch()

  function watch(): void {
    child.once('exit', (code, signal) => {
      if (stopping) return
      logger.error({ code, signal }, 'the sandbox gateway has ended; starting it again')
      void sleep(RESTART_MS, undefined, { ref: false }).then(() => {
        if (stopping) return
        child = launch(options)
        watch()
      })
    })
  }

  return {
    async stop() {
      stopping = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(late)
    },
  }
}

function launch({ port, dataDir, logger }: GatewayOptions): ChildProcess {
  const flags = ['--port', `${port}`, '--data', dataDir, '--exit-with-parent']
  const child = spawn(process.execPath, [PROGRAM, ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  child.on('error', (error) => logger.error({ err: error }, 'sandbox gateway'))
  child.stdin?.on('error', () => undefined) // it is gone, which its exit tells
  if (child.stdout) {
    createInterface(child.stdout).on('line', (line) => logger.debug({ gateway: line }))
  }
  if (child.stderr) {
    createInterface(child.stderr).on('line', (line) => logger.warn({ gateway: line }))
  }
  return child
}

/** Its first line on stdout says that it listens; ending before is what it says on stderr. */
async function listening(child: ChildProcess): Promise<void> {
  const words: string[] = []
  child.stderr?.on('data', (data: Buffer) => words.push(data.toString()))
  const ended = once(child, 'close').then(() => {
    throw new StartError(`The sandbox gateway did not start: ${words.join('').trim()}`)
  })
  ended.catch(() => undefined)
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), ended])
}
