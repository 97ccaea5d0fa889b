import type { Settings } from '../platform/config/settings.ts'
import { openLogger } from '../platform/telemetry/logger.ts'
import { findDatabase } from './database.ts'
import { endOnFault } from './end-on-fault.ts'
import { portsMustBeFree } from './ports.ts'
import { runService } from './run-service.ts'
import { schemaMustBeCurrent } from './schema.ts'
import { listenForStop } from './stop-signals.ts'

/**
 * The roles `api` and `worker`, any number of each on one database: that of DATABASE_URL, or the one
 * that `start` runs on the same data directory. They change no table and log JSON lines to stdout.
 */
export async function runRole(role: 'api' | 'worker', settings: Settings): Promise<void> {
  const stop = listenForStop()
  if (role === 'api') await portsMustBeFree(settings, { withGateway: false })
  const database = await findDatabase(settings)
  await schemaMustBeCurrent(database.connection)
  const logger = openLogger('stdout')
  endOnFault(logger)
  stop.throwIfRequested()
  const { connection } = database
  const api = role === 'api'
  const service = await runService(settings, { connection, logger, api, worker: !api })
  logger.info({ role, ...(api && { port: settings.port }) }, 'ready')
  const signal = await stop.requested
  logger.info({ signal }, 'stopping')
  await service.stop()
}
