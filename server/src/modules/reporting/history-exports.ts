import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Pool } from 'pg'
import { refuse } from '../../platform/batch/batch.errors.ts'
import type { Connection } from '../../platform/db/pools.ts'
import { DatabaseUnavailable, inSnapshot } from '../../platform/db/transaction.ts'
import { ApiError } from '../../platform/errors.ts'
import type { Posted, ThreadOrder } from './export-thread.ts'
import { type Asked, shortExport } from './history-forms.ts'

/**
 * Exports. A short one is read and answered here. A long one has a thread and a connection of its own:
 * a million rows are half a minute of work, in which payments must not wait, and the limits of a
 * thread's heap are kept by the engine and not by our hope. (In this thread the same export let the
 * heap's young generation grow to 128 MB.)
 *
 * The thread makes a piece when one is taken from it, so a slow reader costs no memory. Nothing is sent
 * before the first piece is there; what fails by then is an ordinary refusal. What fails later can no
 * longer change the status: the stream is destroyed, and with it the connection, so that the reader
 * sees a body without its end. A reader that goes away ends the thread; one that takes nothing for a
 * minute loses its snapshot (`idle_in_transaction_session_timeout`) and so its export.
 */
export interface HistoryExports {
  /** The body of an answer. Throws `overloaded` when enough are running. */
  open(asked: Asked): Promise<Readable>
  /** Gives what is running some seconds to end, then cuts it off. */
  close(): Promise<void>
}

// More: each holds a snapshot, a connection and a processor. Fewer: one reader on a slow line keeps
// all others waiting.
const MAX_EXPORTS = 2
const GRACE_MS = 15_000 // a stop waits 25 s for requests
// Young: 16 was a tenth faster and took 10 MB more. Old: two chunks of rows with all the metadata that rows may have are
// 200 MB. An ordinary export needs a tenth of it.
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 320 }
const THREAD = new URL('./export-thread.ts', import.meta.url)

export function createHistoryExports(
  pool: Pool,
  connection: Connection,
  graceMs = GRACE_MS,
): HistoryExports {
  let running = 0
  const threads = new Set<Thread>()

  async function open(asked: Asked): Promise<Readable> {
    if (running >= MAX_EXPORTS) {
      throw new ApiError(refuse('overloaded', { detail: `${MAX_EXPORTS} exports are running.` }))
    }
    running += 1
    let thread: Thread | undefined
    try {
      const whole = await readShort(pool, asked)
      if (whole !== undefined) return Readable.from([whole])
      thread = begin(asked)
    } finally {
      if (thread === undefined) running -= 1
    }
    await thread.begun
    return thread.body
  }

  function begin(asked: Asked): Thread {
    const thread = startThread({ connection, asked })
    threads.add(thread)
    void thread.worked.then(() => (running -= 1))
    void thread.ended.then(() => threads.delete(thread))
    return thread
  }

  return {
    open,
    async close() {
      const ended = Promise.all([...threads].map((thread) => thread.ended))
      const patience = new AbortController()
      await Promise.race([ended, delay(graceMs, undefined, patience)])
      patience.abort()
      for (const { body } of threads) body.destroy(new Error('the service stops'))
      await ended
    },
  }
}

async function readShort(pool: Pool, asked: Asked): Promise<string | undefined> {
  let reading = false
  try {
    return await inSnapshot(pool, (tx) => {
      reading = true
      return shortExport(tx, asked)
    })
  } catch (error) {
    // Without a connection there is no snapshot to fail in.
    throw reading ? error : new DatabaseUnavailable(error)
  }
}

interface Thread {
  readonly body: Readable
  /** The first piece is there. */
  readonly begun: Promise<void>
  /** It does no more: before its reader can know, who may ask for the next export at once. */
  readonly worked: Promise<void>
  /** Nothing of it is left. Neither this nor `worked` ever rejects. */
  readonly ended: Promise<void>
}

function startThread(order: ThreadOrder): Thread {
  const worker = new Worker(THREAD, { workerData: order, resourceLimits: HEAP })
  const begun = Promise.withResolvers<void>()
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const body = new Readable({
    encoding: 'utf8', // text stays text until it is written
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    read: () => worker.postMessage('more'),
    destroy: (cause, destroyed) => {
      begun.reject(cause ?? new Error('the export was given up'))
      void worker.terminate()
      void ended.then(() => destroyed(cause))
    },
  })
  begun.promise.catch(() => undefined) // heard by whoever opened it
  const worked = Promise.withResolvers<void>()
  let isWhole = false
  worker.on('message', (posted: Posted) => {
    isWhole = posted === null
    if (isWhole) worked.resolve()
    begun.resolve()
    body.push(posted, 'utf8')
  })
  worker.once('error', (error) => body.destroy(error))
  worker.once('exit', () => {
    worked.resolve()
    if (!isWhole) body.destroy(new Error('the thread ended before its export'))
  })
  body.read(0) // asks for the first piece
  return { body, begun: begun.promise, worked: worked.promise, ended }
}
