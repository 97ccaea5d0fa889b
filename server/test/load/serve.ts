import { join } from 'node:path'
import { type RunningService, runService } from '../../src/app/run-service.ts'
import { readSettings } from '../../src/platform/config/settings.ts'
import type { Connection } from '../../src/platform/db/pools.ts'
import { openLogger } from '../../src/platform/telemetry/logger.ts'
import { answerParent } from './child.ts'

/** The service under test: what `npm start` runs in its process, with api and worker and its log. */
export interface Serve {
  readonly connection: Connection
  readonly dataDir: string
  readonly port: number
  readonly gatewayPort: number
}

export function run(): Promise<void> {
  let service: RunningService | undefined
  answerParent(async ({ connection, dataDir, port, gatewayPort }: Serve) => {
    const flags = { data: dataDir, port: `${port}`, gatewayPort: `${gatewayPort}` }
    const settings = readSettings(flags, { env: {}, directory: dataDir })
    const logger = openLogger({ file: join(dataDir, 'server.log'), verbose: false })
    service = await runService(settings, { connection, logger, api: true, worker: true })
  })
  process.once('SIGTERM', () => {
    // A clean exit is what writes the CPU profile.
    void service?.stop().finally(() => process.exit(0))
  })
  return Promise.resolve()
}
