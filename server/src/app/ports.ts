import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from '../platform/config/settings.ts'
import { elapsed } from '../platform/clock.ts'
import { supervisorOf } from '../platform/postgres/index.ts'
import { StartError } from '../platform/start-error.ts'
import { ownerOfPort } from './port-owner.ts'

export const HOST = '127.0.0.1'

/** Where the sandbox gateway of this machine answers. */
export function gatewayUrl({ gatewayPort }: Pick<Settings, 'gatewayPort'>): string {
  return `http://${HOST}:${gatewayPort}`
}

// A gateway whose parent was killed ends by itself, within milliseconds unless the machine is busy.
const GATEWAY_PATIENCE_MS = 800

/**
 * Looked at before anything else is touched, so that a start that cannot succeed changes nothing. We
 * never slide to another port: issuer and credentials carry it.
 * @throws StartError naming who has the port.
 */
export async function portsMustBeFree(
  { port, gatewayPort, dataDir }: Settings,
  { withGateway }: { readonly withGateway: boolean },
): Promise<void> {
  if (!(await isFree(port))) {
    const running = await supervisorOf(dataDir).catch(() => undefined)
    if (running !== undefined) throw alreadyRunning(dataDir, running)
    throw await portTaken(port, '--port')
  }
  const began = elapsed()
  while (withGateway && !(await isFree(gatewayPort))) {
    if (elapsed() - began > GATEWAY_PATIENCE_MS)
      throw await portTaken(gatewayPort, '--gateway-port')
    await sleep(40)
  }
}

function alreadyRunning(dataDir: string, pid: number): StartError {
  return new StartError(
    `Countinghouse is already running, pid ${pid}, on ${dataDir}. Stop it with: kill ${pid}`,
  )
}

export async function portTaken(port: number, flag: string): Promise<StartError> {
  const owner = await ownerOfPort(port)
  const by = owner === undefined ? '' : ` by ${owner.name} (pid ${owner.pid})`
  return new StartError(`Port ${port} is in use${by}. Use ${flag} PORT, or stop that process.`)
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, HOST)
    await once(server, 'listening')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') return false
    throw new StartError(`Port ${port} cannot be used (${code}). Use --port PORT.`, {
      cause: error,
    })
  } finally {
    server.close()
  }
}
