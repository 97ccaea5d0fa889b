import type { FastifyPluginAsync } from 'fastify'
import { ApiError } from '../../../platform/errors.ts'
import { refuse } from '../../../platform/http/http.errors.ts'
import { callbackPage } from './sandbox-callback.page.ts'
import { sendPage } from './send-page.ts'

export interface CallbackParts {
  readonly issuer: string
  /** Whether this install has sample data; without it there is no such page. */
  readonly hasSamples: () => Promise<boolean>
}

const PATH = '/sandbox/callback'

/** Where the sample app is sent back to: a browser that walks the flow lands on something. */
export function sandboxCallbackRoutes({ issuer, hasSamples }: CallbackParts): FastifyPluginAsync {
  return async function routes(app) {
    const config = { public: true } as const
    app.get(PATH, { config, schema: { hide: true } }, async (request, reply) => {
      if (!(await hasSamples())) throw new ApiError(refuse('not_found'))
      const query = request.query as Readonly<Record<string, unknown>>
      const text = callbackPage({
        issuer,
        redirectUri: issuer + PATH,
        code: one(query['code']),
        state: one(query['state']),
        error: one(query['error']),
        description: one(query['error_description']),
      })
      return sendPage(reply, text)
    })
  }
}

function one(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 500) : undefined
}
