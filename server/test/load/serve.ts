import { createWriteStream } from 'node:fs'
import { pino } from 'pino'
import { openService, type Service } from '../../src/app/service.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { sealingUnder } from '../../src/platform/crypto/sealing.ts'
import type { Connection } from '../../src/platform/db/pools.ts'
import { sandboxConnector } from '../../src/modules/payments/index.ts'
import { answerParent } from './child.ts'

/** The service under test, as it is shipped, in a process of its own. */
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
    const connectors = [sandboxConnector({ baseUrl: gatewayUrl })]
    service = await openService({
      connection,
      issuer: `http://127.0.0.1:${port}`,
      clock: systemClock,
      sealing: sealingUnder(Buffer.from(rootKey, 'base64')),
      connectors,
      logger: pino({ level: 'info' }, createWriteStream('', { fd: 2 })),
    })
    await service.http.listen({ host: '127.0.0.1', port })
  })
  process.once('SIGTERM', () => {
    // A clean exit is what writes the CPU profile.
    void service?.close().finally(() => process.exit(0))
  })
  return Promise.resolve()
}
