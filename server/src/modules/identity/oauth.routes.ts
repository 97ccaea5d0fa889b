import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthorizationServer } from './authorization-server.ts'
import { OauthError, TokenAnswer, TokenForm } from './oauth.schema.ts'

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
    app.setValidatorCompiler(() => () => true)
    const config = { public: true } as const
    app.post('/oauth/token', { config, schema: createToken }, handOver)
    app.options('/oauth/token', { config, schema: { hide: true } }, handOver)
    app.get('/oauth/jwks', { config, schema: getSigningKeys }, handOver)
    app.get(OPENID_METADATA, { config, schema: getOpenidConfiguration }, handOver)
    app.get(OAUTH_METADATA, { config, schema: getAuthorizationServer }, handOver)
  }
}

const OPENID_METADATA = '/.well-known/openid-configuration'
const OAUTH_METADATA = '/.well-known/oauth-authorization-server'

const tags = ['oauth']

const createToken = {
  operationId: 'createToken',
  summary: 'Take an access token for a client.',
  tags,
  consumes: ['application/x-www-form-urlencoded'],
  body: TokenForm,
  response: { 200: TokenAnswer, '4xx': OauthError },
}
const getSigningKeys = {
  operationId: 'getSigningKeys',
  summary: 'The public keys that access tokens are signed with (RFC 7517).',
  tags,
}
const getOpenidConfiguration = {
  operationId: 'getOpenidConfiguration',
  summary: 'What this authorization server offers, and where (OpenID Connect Discovery).',
  tags,
}
const getAuthorizationServer = {
  operationId: 'getAuthorizationServer',
  summary: 'What this authorization server offers, and where (RFC 8414).',
  tags,
}
