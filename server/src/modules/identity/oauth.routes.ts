import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthorizationServer } from './authorization-server.ts'

/**
 * The OAuth endpoints, handed over to the authorization server as they came: it reads the form body
 * itself, and answers OAuth's error objects rather than problem details.
 *
 * The library builds every URL from the request's Host header. So the request is told that it came
 * to the issuer, whatever it says, and from the address that the front door established.
 */
export function oauthRoutes(server: AuthorizationServer): FastifyPluginAsync {
  const { host, protocol } = new URL(server.issuer)
  const scheme = protocol.slice(0, -1)

  function handOver(request: FastifyRequest, reply: FastifyReply): void {
    const { headers } = request.raw
    headers.host = host
    headers['x-forwarded-proto'] = scheme
    headers['x-forwarded-for'] = request.ip
    delete headers['x-forwarded-host']
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value)
    }
    reply.hijack()
    server.handle(request.raw, reply.raw)
  }

  return async function routes(app) {
    // In this scope only: a body that somebody has read leaves the token endpoint waiting for ever.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    const open = { config: { public: true } }
    app.post('/oauth/token', open, handOver)
    app.options('/oauth/token', open, handOver)
    app.get('/oauth/jwks', open, handOver)
    app.get('/.well-known/openid-configuration', open, handOver)
    app.get('/.well-known/oauth-authorization-server', open, handOver)
  }
}
