import { existsSync } from 'node:fs'
import { chmod, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { elapsed, systemClock } from '../platform/clock.ts'
import { wantsColour } from '../platform/config/environment.ts'
import type { Settings } from '../platform/config/settings.ts'
import { sealingOf } from '../platform/crypto/local-keys.ts'
import { lockDataDirectory } from '../platform/postgres/index.ts'
import { openLogger } from '../platform/telemetry/logger.ts'
import { type Ready, banner, readyLine, shown } from './banner.ts'
import { openDatabase } from './database.ts'
import { endOnFault } from './end-on-fault.ts'
import { startGateway } from './gateway-process.ts'
import { gatewayUrl, portsMustBeFree } from './ports.ts'
import { type StopSignals, listenForStop } from './stop-signals.ts'

export interface StartSurroundings {
  /** Where the command was typed. */
  readonly directory: string
  readonly out: NodeJS.WriteStream
}

/**
 * The role `start`: database, gateway, API and worker in one go, until a signal ends it. Steps that
 * can fail for want of something outside come first, and each leaves what the next start needs.
 */
export async function start(settings: Settings, around: StartSurroundings): Promise<void> {
  const stop = listenForStop()
  around.out.on('error', () => undefined) // whoever read our output may be gone before us
  await portsMustBeFree(settings, { withGateway: true })
  await using running = new AsyncDisposableStack()
  const lock = await lockDataDirectory(settings.dataDir)
  running.defer(() => lock.release())
  await keepForOwner(settings.dataDir)
  const { dataDir, verbose } = settings
  const logger = openLogger({ file: join(dataDir, 'server.log'), verbose })
  endOnFault(logger)
  const ready = await bringUp(settings, { ...around, stop, running, logger })
  around.out.write(settings.json ? readyLine(ready) : banner(ready, wantsColour(around.out)))
  logger.info({ port: settings.port, ready_ms: Math.round(ready.readyMs) }, 'ready')
  const signal = await stop.requested
  logger.info({ signal }, 'stopping')
}

interface BringUp extends StartSurroundings {
  readonly stop: StopSignals
  /** What must end, in reverse order, whenever and however we stop. */
  readonly running: AsyncDisposableStack
  readonly logger: FastifyBaseLogger
}

async function bringUp(
  settings: Settings,
  { directory, stop, running, logger }: BringUp,
): Promise<Ready> {
  const { dataDir, gatewayPort } = settings
  if (!settings.json && settings.databaseUrl === undefined && !existsSync(join(dataDir, 'pg'))) {
    process.stderr.write(`Making the database in ${shown(dataDir, directory)} (first start) …\n`)
  }
  const unstopped = (error: unknown) => logger.error({ err: error }, 'not started or not stopped')
  // Most of a start is the reading of our own code, so it happens while other processes start.
  const opening = openDatabase(settings, { directory, logger })
  const starting = startGateway({ port: gatewayPort, dataDir: join(dataDir, 'gateway'), logger })
  starting.catch(() => undefined) // awaited below
  running.defer(() => opening.then((database) => database.stop()).catch(unstopped))
  running.defer(() => starting.then((gateway) => gateway.stop()).catch(unstopped))
  const [database, { migrateAll }, { ensureSampleData }, { runService }] = await Promise.all([
    opening,
    import('./schema.ts'),
    import('./sample-data.ts'),
    import('./run-service.ts'),
  ])
  const { connection } = database
  stop.throwIfRequested()

  const began = elapsed()
  const summary = await migrateAll(connection)
  const migrations = { ...summary, ms: elapsed() - began }
  stop.throwIfRequested()

  const sample = await ensureSampleData({
    connection,
    dataDir,
    addresses: { baseUrl: settings.issuer, gatewayUrl: gatewayUrl(settings) },
    sealing: await sealingOf(settings),
    allowed: settings.mayHoldSamples,
    at: systemClock.now(),
  })
  stop.throwIfRequested()

  await starting
  const service = await runService(settings, { connection, logger, api: true, worker: true })
  running.defer(() => service.stop())
  return {
    settings,
    directory,
    database: database.description,
    migrations,
    sample,
    readyMs: elapsed(),
  }
}

/** The directory holds keys and secrets. One that we have just made, or found empty, is ours alone. */
async function keepForOwner(dataDir: string): Promise<void> {
  const isNew = (await readdir(dataDir)).every((name) => name.startsWith('lock'))
  if (isNew && ((await stat(dataDir)).mode & 0o077) !== 0) await chmod(dataDir, 0o700)
}
