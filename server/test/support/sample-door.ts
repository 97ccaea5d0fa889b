import assert from 'node:assert/strict'
import type { Actor } from '../../src/platform/actor.ts'
import type { Batcher } from '../../src/platform/batch/batch.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { type Outcome, accept, ApiError } from '../../src/platform/errors.ts'
import { createHttp, type Http, type HttpOptions } from '../../src/platform/http/app.ts'
import {
  failingRoutes,
  orderRoutes,
  refuseSample,
  singleOrderRoutes,
  waitingRoutes,
} from './sample-routes.ts'
import { createSubmit } from '../../src/platform/http/submit.ts'
import { createWaiters, type Waiters } from '../../src/platform/http/waiters.ts'

/** A door with a few routes of every kind, for the tests of `platform/http`. */

export const ISSUER = 'http://127.0.0.1:4000'

export const actor: Actor = {
  kind: 'client',
  tenantId: 't-1',
  tenantMode: 'sandbox',
  id: 'cli_1',
  scopes: new Set(['orders:read', 'orders:write']),
  principal: 'cli_1',
  origin: '127.0.0.1',
}

/** What the pretended command answers, and what the batcher was given. */
export interface Sample {
  readonly http: Http
  readonly submitted: { asked: unknown; idempotency: unknown }[]
  outcome: Outcome<object> | undefined
  fault: Error | undefined
  /** Ends the requests to `/slow`. */
  readonly slow: (() => void)[]
  readonly waiters: Waiters
}

export function openSampleDoor({
  before = () => undefined,
  ...options
}: Partial<HttpOptions> & { readonly before?: (http: Http) => void } = {}): Sample {
  const http = createHttp({
    issuer: ISSUER,
    clock: systemClock,
    fingerprintKey: Buffer.alloc(32, 7),
    authenticate: ({ headers }) => {
      if (headers.authorization !== undefined) return actor
      throw new ApiError(refuseSample('caller_unknown'), { 'www-authenticate': 'Bearer' })
    },
    ...options,
  })
  before(http)
  const waiters = createWaiters({
    versionsOf: async () => new Map(),
    onError: (error) => assert.fail(error as Error),
  })
  const sample: Sample = {
    http,
    submitted: [],
    outcome: undefined,
    fault: undefined,
    slow: [],
    waiters,
  }
  const batcher: Pick<Batcher, 'submit'> = {
    submit: async (_command, asked, { idempotency, answer }) => {
      sample.submitted.push({ asked, idempotency })
      if (sample.fault !== undefined) throw sample.fault
      return answer((sample.outcome ?? accept(asked.input)) as never)
    },
  }
  http.register(orderRoutes(createSubmit(batcher, ISSUER)))
  http.register(singleOrderRoutes)
  http.register(failingRoutes)
  http.register(waitingRoutes(sample))
  return sample
}
