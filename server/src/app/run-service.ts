import type { FastifyBaseLogger } from 'fastify'
import { sandboxConnector } from '../modules/payments/index.ts'
import { systemClock } from '../platform/clock.ts'
import type { Settings } from '../platform/config/settings.ts'
import { sealingOf } from '../platform/crypto/local-keys.ts'
import type { Connection } from '../platform/db/pools.ts'
import { watchLoad } from '../platform/http/load.ts'
import { jobsWith } from './jobs.ts'
import { HOST, gatewayUrl, portTaken } from './ports.ts'
import { type Service, openService } from './service.ts'

export interface RunOptions {
  readonly connection: Connection
  readonly logger: FastifyBaseLogger
  /** Listens for requests. */
  readonly api: boolean
  /** Claims due rows and runs jobs. */
  readonly worker: boolean
}

export interface RunningService {
  /** Refuses what is new, ends what was begun. */
  stop(): Promise<void>
}

/** Puts the service together and lets it do what its roles ask; answers once it can be used. */
export async function runService(
  settings: Settings,
  { connection, logger, api, worker }: RunOptions,
): Promise<RunningService> {
  const { issuer, port } = settings
  const sealing = await sealingOf(settings)
  const clock = systemClock
  const service = await openService({
    connection,
    issuer,
    clock,
    sealing,
    connectors: [sandboxConnector({ baseUrl: gatewayUrl(settings) })],
    jobs: jobsWith({ sealing, clock }),
    logger,
    egressAllow: settings.egressAllow,
    accessTokenSeconds: settings.accessTokenSeconds,
    load: watchLoad(),
  })
  try {
    if (api) await listen(service, port)
  } catch (error) {
    await service.close()
    throw error
  }
  if (worker) service.startWorkers()
  return { stop: () => service.close() }
}

async function listen(service: Service, port: number): Promise<void> {
  try {
    await service.http.listen({ host: HOST, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw await portTaken(port, '--port') // somebody was faster since we looked
  }
}
