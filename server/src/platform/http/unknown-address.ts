import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { ApiError } from '../errors.ts'
import { refuse } from './http.errors.ts'
import { pathOf } from './problem.ts'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** 405 with `Allow` where another method would be answered, 404 elsewhere. */
export function unknownAddress(app: FastifyInstance) {
  return function answerUnknown(request: FastifyRequest, _reply: FastifyReply): never {
    const url = pathOf(request.url)
    const allowed = METHODS.filter((method) => app.findRoute({ method, url }) !== null)
    if (allowed.length === 0) throw new ApiError(refuse('not_found'))
    throw new ApiError(refuse('method_not_allowed', { allowed_methods: allowed }), {
      allow: allowed.join(', '),
    })
  }
}
