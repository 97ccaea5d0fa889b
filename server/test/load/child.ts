import { type ChildProcess, fork } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { whenStopped } from './when-stopped.ts'

/** A process of the benchmark: this program again, under a role, spoken to by questions and answers. */
export interface Child {
  readonly pid: number
  /** Rejects when the child answers with an error, or ends, or the run is aborted. */
  ask<Reply>(question: object): Promise<Reply>
  /** SIGTERM, and SIGKILL after ten seconds. May be called more than once. */
  stop(): Promise<void>
}

export interface ChildOptions {
  /** For its log, named after the role. */
  readonly directory: string
  /** Ends the wait for an answer. */
  readonly signal: AbortSignal
  readonly execArgv?: string[]
}

interface Answered {
  readonly answer?: unknown
  readonly error?: string
}

const GRACE_MS = 10_000

export function startChild(
  role: string,
  { directory, signal, execArgv = [] }: ChildOptions,
): Child {
  const log = openSync(join(directory, `${role}.log`), 'a')
  const child = fork(join(import.meta.dirname, 'bench.ts'), [role], {
    execArgv,
    stdio: ['ignore', log, log, 'ipc'],
    serialization: 'advanced',
  })
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code, killedBy) => {
      reject(new Error(`the ${role} process ended with ${killedBy ?? code}`))
    })
  })
  ended.catch(() => undefined)
  const stopped = whenStopped(signal)
  const waiting: ((answered: Answered) => void)[] = []
  child.on('message', (message) => waiting.shift()?.(message as Answered))
  return {
    pid: child.pid ?? 0,
    ask: async <Reply>(question: object) => {
      const { promise, resolve } = Promise.withResolvers<Answered>()
      waiting.push(resolve)
      child.send(question)
      const { answer, error } = await Promise.race([promise, ended, stopped])
      if (error !== undefined) throw new Error(`${role}: ${error}`)
      return answer as Reply
    },
    stop: () => stop(child),
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const killer = new AbortController()
  void sleep(GRACE_MS, undefined, { signal: killer.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  )
  await gone
  killer.abort()
}

/** The child's side: answers each question in turn. It ends when its parent does. */
export function answerParent(answerOf: (question: never) => Promise<unknown>): void {
  // The parent decides when we end; Ctrl-C reaches the whole group.
  process.on('SIGINT', () => undefined)
  process.on('disconnect', () => process.exit(1))
  process.on('message', (question) => {
    void answerOf(question as never).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => {
        process.send?.({ error: error instanceof Error ? error.stack : String(error) })
      },
    )
  })
}
