import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import type { FastifyRequest } from 'fastify'

/** Holds every success against the schema that its route documents. */
export function contractChecks() {
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  ajvFormats.default(ajv)
  const compiled = new Map<object, ValidateFunction>()
  const faults: string[] = []
  return {
    hook(
      request: FastifyRequest,
      reply: { statusCode: number },
      payload: unknown,
      done: () => void,
    ) {
      const schemas = request.routeOptions.schema?.response as Record<number, object> | undefined
      const schema = schemas?.[reply.statusCode]
      if (schema === undefined && reply.statusCode < 300) {
        faults.push(`${request.url}: ${reply.statusCode} is not documented`)
      }
      if (schema !== undefined && typeof payload === 'string') {
        const validate = compiled.get(schema) ?? ajv.compile(schema)
        compiled.set(schema, validate)
        const closed = JSON.parse(payload) as unknown
        if (!validate(closed)) faults.push(`${request.url}: ${ajv.errorsText(validate.errors)}`)
      }
      done()
    },
    assertKept: () => assert.deepEqual(faults.splice(0), []),
  }
}
