import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { elapsed } from '../clock.ts'
import { ApiError } from '../errors.ts'
import { refuse } from './http.errors.ts'

export interface ReadyCheck {
  readonly name: string
  readonly ok: boolean
  /** For an operator; seen by everybody, so no addresses and no secrets. */
  readonly detail?: string
}

const KEPT_MS = 1_000 // a balancer per node asks every second; the database is asked once
const TIMEOUT_MS = 2_000

/** `/healthz`: the process answers. `/readyz`: requests can be served, by all of `checks`. */
export function healthRoutes(
  checks: () => Promise<readonly ReadyCheck[]>,
): FastifyPluginAsyncTypebox {
  let since = -Infinity
  let latest: Promise<readonly ReadyCheck[]> | undefined

  function state(): Promise<readonly ReadyCheck[]> {
    if (latest === undefined || elapsed() - since > KEPT_MS) {
      since = elapsed()
      latest = Promise.race([checks().catch(failed), sleep(TIMEOUT_MS, SLOW, { ref: false })])
    }
    return latest
  }

  return async (app) => {
    const config = { public: true }
    app.get('/healthz', { config }, async () => ({ status: 'ok' }))
    app.get('/readyz', { config }, async () => {
      const found = await state()
      if (found.every(({ ok }) => ok)) return { status: 'ready', checks: found }
      throw new ApiError(refuse('not_ready', { checks: found }), { 'retry-after': '1' })
    })
  }
}

const SLOW: readonly ReadyCheck[] = [{ name: 'checks', ok: false, detail: 'no answer in time' }]

function failed(): readonly ReadyCheck[] {
  return [{ name: 'checks', ok: false, detail: 'failed' }]
}
