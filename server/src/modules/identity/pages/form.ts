import type { FastifyInstance, FastifyRequest } from 'fastify'

const FORM = 'application/x-www-form-urlencoded'
const LIMIT = 16 * 1024 // a page of ours has a few short fields

/** In this scope forms are read, and nothing else: as `URLSearchParams`, so a field may be repeated. */
export function readForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    FORM,
    { parseAs: 'string', bodyLimit: LIMIT },
    (_request: FastifyRequest, body: string, done) => done(null, new URLSearchParams(body)),
  )
}

export function formOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
}

/**
 * Whether a form was sent from a page of ours, or by a program that is no browser. A page that sends
 * no referrer sends `Origin: null` with its own forms; what the browser says about the site decides.
 */
export function isOwnForm({ headers }: FastifyRequest, issuer: string): boolean {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  if (origin === 'null') return site === 'same-origin'
  return origin === undefined || origin === issuer
}
