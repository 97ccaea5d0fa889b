import { mkdir, realpath } from 'node:fs/promises'
import { StartError } from '../start-error.ts'

/** Makes the directory if it is missing, for its owner alone; answers its real path. */
export async function openDataDirectory(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    return await realpath(dataDir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StartError(
      `The data directory ${dataDir} cannot be used (${code ?? String(error)}). ` +
        'Make it, or use another one: --data DIR.',
      { cause: error },
    )
  }
}
