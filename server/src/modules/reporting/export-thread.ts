import { parentPort, workerData } from 'node:worker_threads'
import { type Connection, openPools } from '../../platform/db/pools.ts'
import { inSnapshot } from '../../platform/db/transaction.ts'
import { type Asked, exportPieces } from './history-forms.ts'

/**
 * The thread of one long export: reads a snapshot over a connection of its own and posts pieces of
 * text, one for each message that it gets; then null. An error ends it and reaches its owner.
 *
 * Text and not bytes: handed-over bytes stay until the other thread collects its garbage, which may be
 * 100 MB later; text is written and gone.
 */
export interface ThreadOrder {
  readonly connection: Connection
  readonly asked: Asked
}

/** A piece, or null at the end. */
export type Posted = string | null

const port = parentPort
if (port === null) throw new Error('this file is run as a thread')
const { connection, asked } = workerData as ThreadOrder

let wanted = 0
let wake: () => void = () => undefined
port.on('message', () => {
  wanted += 1
  wake()
})

async function until(isWanted: () => boolean): Promise<void> {
  while (!isWanted()) {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    await promise
  }
}

// What a lost connection means is said by the statement that meets it.
const pools = openPools(connection, () => undefined)
await inSnapshot(pools.report, async (tx) => {
  for await (const text of exportPieces(tx, asked)) {
    await until(() => wanted > 0)
    wanted -= 1
    port.postMessage(text satisfies Posted)
  }
})
await pools.close()
port.postMessage(null satisfies Posted)
port.close()
