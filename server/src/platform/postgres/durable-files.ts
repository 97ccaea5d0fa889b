import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file in one step: a reader, or the next start after a power cut, sees old or new. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.${process.pid}.new`
  await using file = await open(temporary, 'w', mode)
  await file.writeFile(text)
  await file.sync()
  await rename(temporary, path)
  await syncPath(dirname(path))
}

/** Flushes a file or a directory; for a directory that is what makes a rename in it last. */
export async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
