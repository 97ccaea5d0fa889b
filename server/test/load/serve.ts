import { pino } from 'pino'
import { type Service, openService } from '../../src/app/service.ts'
import { sandboxConnector } from '../../src/modules/payments/index.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { sealingUnder } from '../../src/platform/crypto/sealing.ts'
import type { Connection } from '../../src/platform/db/pools.ts'
import { answerParent } from './child.ts'

/** The service under test, api and worker in one process as `npm start` runs them. */
export interface Serve {
  readonly connection: Connection
  readonly port: number
  /** Base64 of 32 bytes. */
  readonly rootKey: string
  readonly gatewayUrl: string
}

export function run(): Promise<void> {
  let service: Service | undefined
  answerParent(async ({ connection, port, rootKey, gatewayUrl }: Serve) => {
    service = await openService({
      connection,
      issuer: `http://127.0.0.1:${port}`,
      clock: systemClock,
      sealing: sealingUnder(Buffer.from(rootKey, 'base64')),
      connectors: [sandboxConnector({ baseUrl: gatewayUrl })],
      logger: pino(),
    })
    await service.http.listen({ host: '127.0.0.1', port })
    service.startWorkers()
  })
  process.once('SIGTERM', () => {
    // A clean exit is what writes the CPU profile.
    void service?.close().finally(() => process.exit(0))
  })
  return Promise.resolve()
}
