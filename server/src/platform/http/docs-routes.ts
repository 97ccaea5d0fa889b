import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ApiError } from '../errors.ts'
import { errorIndexPage, errorPage } from './error-pages.ts'
import { refuse } from './http.errors.ts'
import type { Documentation } from './openapi.ts'

/**
 * `/openapi.json`, the reference at `/docs/` and a page per error code. Everything is made on the
 * first request and kept compressed: the reference's script is 5 MB, and importing it costs more
 * than the rest of a start.
 */
export function docsRoutes(documentation: Documentation): FastifyPluginAsyncTypebox {
  return async (app) => {
    const config = { public: true }
    const document = once(async () => file('application/json', JSON.stringify(app.swagger())))
    const reference = once(renderReference)

    app.get('/openapi.json', { config }, async (request, reply) =>
      sendFile(request, reply, await document()),
    )
    app.get('/docs', { config }, async (_request, reply) => reply.redirect('/docs/', 308))
    app.get('/docs/', { config }, async (request, reply) => {
      const { page, contentPolicy } = await reference()
      reply.header('content-security-policy', contentPolicy)
      return sendFile(request, reply, page)
    })
    app.get('/docs/js/scalar.js', { config }, async (request, reply) =>
      sendFile(request, reply, (await reference()).script),
    )
    app.get('/docs/errors', { config }, async (request, reply) =>
      wantsHtml(request)
        ? reply.type(HTML).send(errorIndexPage(documentation.errors))
        : {
            errors: Object.entries(documentation.errors).map(([code, spec]) => ({ code, ...spec })),
          },
    )
    const params = Type.Object({ code: Type.String({ maxLength: 100 }) })
    app.get('/docs/errors/:code', { config, schema: { params } }, async (request, reply) => {
      const { code } = request.params
      const spec = Object.hasOwn(documentation.errors, code)
        ? documentation.errors[code]
        : undefined
      if (spec === undefined) throw new ApiError(refuse('not_found'))
      return wantsHtml(request)
        ? reply.type(HTML).send(errorPage(documentation.issuer, code, spec))
        : { code, ...spec }
    })
  }
}

const HTML = 'text/html; charset=utf-8'

function wantsHtml(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true
}

interface File {
  readonly type: string
  readonly plain: Buffer
  readonly zipped: Buffer
  readonly etag: string
}

async function file(type: string, content: string): Promise<File> {
  const plain = Buffer.from(content)
  const digest = createHash('sha256').update(plain).digest('base64url').slice(0, 22)
  // Weak: the compressed and the plain bytes answer to the same tag.
  return { type, plain, zipped: await promisify(gzip)(plain), etag: `W/"${digest}"` }
}

function sendFile(request: FastifyRequest, reply: FastifyReply, content: File): FastifyReply {
  reply
    .header('cache-control', 'public, no-cache')
    .header('etag', content.etag)
    .header('vary', 'Accept-Encoding')
  if (request.headers['if-none-match'] === content.etag) return reply.code(304).send()
  reply.type(`${content.type}; charset=utf-8`)
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(content.plain)
  return reply.header('content-encoding', 'gzip').send(content.zipped)
}

// Nothing leaves the origin: no fonts, no telemetry, no assistants, no request proxy.
const REFERENCE = {
  url: '/openapi.json',
  pageTitle: 'Countinghouse API',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  proxyUrl: '',
} as const

/** Lets the plug-in render itself once, in an instance of its own. */
async function renderReference() {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const inner = fastify()
  await inner.register(scalar, { routePrefix: '/docs', configuration: REFERENCE })
  const [page, script] = [await inner.inject('/docs/'), await inner.inject('/docs/js/scalar.js')]
  await inner.close()
  const inline = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(page.body)?.[1]
  if (page.statusCode !== 200 || script.statusCode !== 200 || inline === undefined) {
    throw new Error('the API reference did not render as expected')
  }
  const hash = createHash('sha256').update(inline).digest('base64')
  return {
    page: await file('text/html', page.body),
    script: await file('text/javascript', script.body),
    // Styles are set from script all over the page; scripts are ours by name or by hash.
    contentPolicy:
      `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self' 'unsafe-inline'; ` +
      "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
      "form-action 'none'; frame-ancestors 'none'",
  }
}

/** Runs `make` on the first call; a failure is not kept. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
