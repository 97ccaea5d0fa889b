import { type Credentials, readCredentials } from '../credentials.ts'

/** A server to run against. */
export interface DemoServer {
  readonly credentials: Credentials
  /** Whose it is and what the demo leaves behind on it. */
  readonly note: string
}

const TIMEOUT_MS = 2_000

/** The server that runs on a data directory: it is ready where its credentials file says. */
export async function findServer(dataDir: string): Promise<DemoServer | undefined> {
  const credentials = await readCredentials(dataDir)
  if (credentials === undefined || !(await isReady(credentials.base_url))) return undefined
  const note = 'running already; the demo opens accounts of its own in its sandbox'
  return { credentials, note }
}

async function isReady(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false // nobody is there, which is an answer
  }
}
