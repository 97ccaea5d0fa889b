import { pino } from 'pino'
import { openService } from '../src/app/service.ts'
import { beneficiaryEvents, consentEvents, transferEvents } from '../src/modules/banking/index.ts'
import { ledgerEvents } from '../src/modules/ledger/index.ts'
import { paymentEvents, refundEvents } from '../src/modules/payments/index.ts'
import { systemClock } from '../src/platform/clock.ts'
import { ROOT_KEY_BYTES, sealingUnder } from '../src/platform/crypto/sealing.ts'
import type { Connection } from '../src/platform/db/pools.ts'
import type { EventType } from '../src/platform/events/events.ts'
import { API_VERSION } from '../src/platform/version.ts'

const ISSUER = 'http://127.0.0.1:4000' // where `npm start` answers

/** The OpenAPI document as the service serves it at `/openapi.json`. */
export async function openApiDocument(connection: Connection): Promise<string> {
  const service = await openService({
    connection,
    issuer: ISSUER,
    clock: systemClock,
    sealing: sealingUnder(Buffer.alloc(ROOT_KEY_BYTES)),
    connectors: [],
    logger: pino({ level: 'silent' }),
  })
  try {
    await service.http.ready()
    return json(service.http.swagger())
  } finally {
    await service.close()
  }
}

/** Every event that the service emits, sorted by type, with the schema of its `data`. */
export function eventCatalogue(): string {
  const groups = [
    ledgerEvents,
    paymentEvents,
    refundEvents,
    transferEvents,
    consentEvents,
    beneficiaryEvents,
  ]
  const types: EventType[] = groups.flatMap((events) => Object.values(events))
  const entries = types.map(({ type, objectKind, description, schema }) => ({
    type,
    object_kind: objectKind,
    description,
    data: schema,
  }))
  return json({
    api_version: API_VERSION,
    events: entries.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
  })
}

function json(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
