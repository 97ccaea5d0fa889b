import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The gateway's only memory: a file of JSON lines, only ever added to. It is the witness in fault
 * tests, so a line counts once it is on the disk and not before. One fsync is on its way at a time;
 * all lines that arrive meanwhile share the next one, so that an idle gateway waits for nothing and
 * a busy one pays one fsync for many operations.
 *
 * A crash between write and fsync can leave a half line at the end. Nobody was told of it, and it
 * is cut off at the next start. A broken line anywhere else means the file was tampered with or the
 * disk lost what it had promised: then opening fails rather than forgetting money.
 *
 * A write that fails leaves the caller's state ahead of the file; all later appends fail as well,
 * until a new start rebuilds the state from what is there.
 */
export interface Journal<Entry extends { n: number }> {
  /** Every line, the last ones perhaps not yet on the disk: see `durable`. */
  readonly entries: readonly Entry[]
  /** How many entries are on the disk. */
  readonly durable: number
  /** How many fsyncs that took since opening. */
  readonly syncs: number
  /** True once a write has failed; nothing can be added any more. */
  readonly failed: boolean
  /** Adds the line and numbers it. `saved` resolves once it is on the disk. */
  append<One extends Entry>(line: Omit<One, 'n'>): { entry: One; saved: Promise<void> }
  /** Writes what is waiting, then closes. */
  close(): Promise<void>
}

interface Waiting {
  readonly line: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export async function openJournal<Entry extends { n: number }>(
  folder: string,
): Promise<Journal<Entry>> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'journal.ndjson')
  const file = await open(path, 'a+', 0o600)
  try {
    const { entries, end } = await readEntries(file, path)
    await file.truncate(end)
    await file.sync()
    await syncFolder(folder)
    return startJournal(file, entries as Entry[])
  } catch (error) {
    await file.close()
    throw error
  }
}

function startJournal<Entry extends { n: number }>(
  file: FileHandle,
  entries: Entry[],
): Journal<Entry> {
  let durable = entries.length
  let syncs = 0
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  let ended: Error | undefined

  async function writeGroups(): Promise<void> {
    await Promise.resolve() // lets everything of this turn of the event loop into the first group
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        if (ended !== undefined) throw ended
        await file.appendFile(group.map(({ line }) => line).join(''))
        await file.datasync()
        syncs += 1
        durable += group.length
        for (const { resolve } of group) resolve()
      } catch (cause) {
        ended = new Error('The journal cannot be written.', { cause })
        for (const { reject } of group) reject(ended)
      }
    }
    writing = undefined
  }

  return {
    entries,
    get durable() {
      return durable
    },
    get syncs() {
      return syncs
    },
    get failed() {
      return ended !== undefined
    },
    append<One extends Entry>(line: Omit<One, 'n'>) {
      if (ended !== undefined) throw ended
      const entry = { n: entries.length + 1, ...line } as One
      entries.push(entry)
      const saved = new Promise<void>((resolve, reject) => {
        waiting.push({ line: `${JSON.stringify(entry)}\n`, resolve, reject })
      })
      writing ??= writeGroups()
      return { entry, saved }
    },
    async close() {
      for (let last = writing; last !== undefined; last = writing) await last
      ended ??= new Error('The journal is closed.')
      await file.close()
    },
  }
}

/** Reads every whole line; `end` is where the first half line, if any, begins. */
async function readEntries(file: FileHandle, path: string) {
  const entries: { n: number }[] = []
  const chunk = Buffer.allocUnsafe(1 << 20)
  let rest = Buffer.alloc(0)
  let broken = false
  let end = 0
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position)
    if (bytesRead === 0) return { entries, end }
    position += bytesRead
    const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    let start = 0
    for (let stop = text.indexOf(10); stop !== -1; stop = text.indexOf(10, start)) {
      const entry = parseEntry(text.toString('utf8', start, stop))
      const n = entries.length + 1
      // A crash breaks only the last line: another after a broken one, or a gap, is no crash.
      if (broken || (entry !== undefined && entry.n !== n)) {
        throw new Error(`${path}: line ${n} is damaged.`)
      }
      broken = entry === undefined
      if (entry !== undefined) {
        entries.push(entry as { n: number })
        end += stop + 1 - start
      }
      start = stop + 1
    }
    rest = text.subarray(start)
  }
}

function parseEntry(line: string): { n?: unknown } | undefined {
  try {
    return Object(JSON.parse(line)) as { n?: unknown }
  } catch {
    return undefined
  }
}

/** Makes the file's name as durable as its lines. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
