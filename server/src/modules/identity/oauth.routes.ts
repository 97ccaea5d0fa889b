import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthorizationServer } from './authorization-server.ts'
import {
  Introspection,
  OauthError,
  PushedRequest,
  TokenAnswer,
  TokenForm,
  TokenQuestion,
} from './oauth.schema.ts'

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
    request.raw.url = targetOf(request)
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

  // A browser that was sent to `localhost` keeps its cookies from 127.0.0.1, and would be lost there.
  function toIssuer(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const name = request.headers.host ?? host
    if (name === host || !isLoopback(name) || !isLoopback(host)) return done()
    void reply.redirect(server.issuer + targetOf(request), 302)
  }

  return async function routes(app) {
    // In this scope only: a body that somebody has read leaves the token endpoint waiting for ever.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    app.setValidatorCompiler(() => () => true)
    const config = { public: true } as const
    const hidden = { config, schema: { hide: true } }
    app.post('/oauth/token', { config, schema: createToken }, handOver)
    app.post('/oauth/par', { config, schema: pushAuthorizationRequest }, handOver)
    app.post('/oauth/introspect', { config, schema: introspectToken }, handOver)
    app.post('/oauth/revoke', { config, schema: revokeToken }, handOver)
    for (const path of ['token', 'par', 'introspect', 'revoke']) {
      app.options(`/oauth/${path}`, hidden, handOver)
    }
    app.get('/oauth/authorize', { config, schema: authorize, onRequest: toIssuer }, handOver)
    app.get('/oauth/authorize/:uid', hidden, handOver)
    app.get('/oauth/logout', { config, schema: logout, onRequest: toIssuer }, handOver)
    app.post('/oauth/logout/confirm', hidden, handOver)
    app.get('/oauth/logout/success', hidden, handOver)
    app.get('/oauth/jwks', { config, schema: getSigningKeys }, handOver)
    app.get(OPENID_METADATA, { config, schema: getOpenidConfiguration }, handOver)
    app.get(OAUTH_METADATA, { config, schema: getAuthorizationServer }, handOver)
  }
}

// A request line may name a whole URI (RFC 9112 §3.2.2), and its host would be believed like a header's.
function targetOf({ url }: FastifyRequest): string {
  const whole = url.startsWith('/') ? null : URL.parse(url)
  return whole === null ? url : whole.pathname + whole.search
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host)
}

const OPENID_METADATA = '/.well-known/openid-configuration'
const OAUTH_METADATA = '/.well-known/oauth-authorization-server'

const tags = ['oauth']
const FORM = ['application/x-www-form-urlencoded']

const createToken = {
  operationId: 'createToken',
  summary: 'Take tokens: for a client itself, for a code, or for a refresh token.',
  tags,
  consumes: FORM,
  body: TokenForm,
  response: { 200: TokenAnswer, '4xx': OauthError },
}
const authorize = {
  operationId: 'authorize',
  summary: 'Ask a person for access: open it in a browser (OAuth 2.0, PKCE with S256 always).',
  tags,
}
const pushAuthorizationRequest = {
  operationId: 'pushAuthorizationRequest',
  summary: 'Leave an authorization request here and open it by its reference (RFC 9126).',
  tags,
  consumes: FORM,
  response: { 201: PushedRequest, '4xx': OauthError },
}
const introspectToken = {
  operationId: 'introspectToken',
  summary: 'Whether a token is good, and what it says (RFC 7662).',
  tags,
  consumes: FORM,
  body: TokenQuestion,
  response: { 200: Introspection, '4xx': OauthError },
}
const revokeToken = {
  operationId: 'revokeToken',
  summary: 'Give a token back (RFC 7009). A refresh token takes its grant with it.',
  tags,
  consumes: FORM,
  body: TokenQuestion,
  response: { '4xx': OauthError },
}
const logout = {
  operationId: 'logout',
  summary: 'End the session of a browser: open it there (OpenID Connect RP-Initiated Logout).',
  tags,
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
