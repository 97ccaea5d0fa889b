import { randomUUID } from 'node:crypto'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces a file in one step: a reader, or the next start after a power cut, sees old or new. Safe
 * for root in a directory that belongs to somebody else: no link that lies there is followed.
 */
export async function replaceFile(path: string, text: string, owner?: Owner): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  await using file = await open(temporary, 'wx', 0o600)
  await file.writeFile(text)
  if (owner !== undefined) await file.chown(owner.uid, owner.gid)
  await file.sync()
  await rename(temporary, path)
  await syncPath(dirname(path))
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Flushes a file or a directory; for a directory that is what makes a rename in it last. */
export async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
