import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * A port that is free now, as is the one ten above it. Ports below the ephemeral range are handed
 * out by nobody, so a random one stays free until it is taken.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + (randomBytes(2).readUInt16BE() % 10_000)
    if ((await isFree(port)) && (await isFree(port + 10))) return port
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
