import swagger from '@fastify/swagger'
import type { FastifySchema, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import { refuse as batch } from '../batch/batch.errors.ts'
import type { ErrorSpec } from '../errors.ts'
import { closed } from '../fields.ts'
import { API_VERSION } from '../version.ts'
import type { Http } from './app.ts'
import { refuse } from './http.errors.ts'
import { MAX_FIELD_ERRORS, PROBLEM_MEDIA_TYPE } from './problem.ts'
import { enumsOfConstants } from './openapi-enums.ts'

export interface Documentation {
  readonly issuer: string
  /** The refusals of every module by code, those of the platform included. */
  readonly errors: Readonly<Record<string, ErrorSpec>>
  /** Codes with which `authenticate` turns a request away. */
  readonly authenticationErrors?: readonly string[]
  /** What each scope permits, for the document's security scheme. */
  readonly scopes?: Readonly<Record<string, string>>
  /** OpenAPI `webhooks`: one entry per event type. */
  readonly webhooks?: Readonly<Record<string, object>>
}

/** The refusals that the platform itself makes. */
export const platformErrors: Readonly<Record<string, ErrorSpec>> = {
  ...refuse.table,
  ...batch.table,
}

export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', maxLength: 300 }),
    title: Type.String({ maxLength: 300 }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.Optional(Type.String({ maxLength: 2_000 })),
    instance: Type.Optional(Type.String({ maxLength: 16_384 })),
    code: Type.String({ maxLength: 100, description: 'Stable. What to switch on.' }),
    retryable: Type.Boolean({
      description:
        'The same request with the same Idempotency-Key can succeed later without anybody changing anything.',
    }),
    request_id: Type.String({ maxLength: 40 }),
    trace_id: Type.Optional(Type.String({ maxLength: 32 })),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            pointer: Type.Optional(
              Type.String({ maxLength: 1_000, description: 'JSON Pointer into the body.' }),
            ),
            parameter: Type.Optional(Type.String({ maxLength: 300 })),
            header: Type.Optional(Type.String({ maxLength: 300 })),
            code: Type.String({ maxLength: 40 }),
            detail: Type.String({ maxLength: 2_000 }),
          },
          closed,
        ),
        { maxItems: MAX_FIELD_ERRORS },
      ),
    ),
  },
  {
    $id: 'Problem',
    additionalProperties: true,
    description: 'RFC 9457. Further members belong to the code.',
  },
)

/**
 * Describes every route registered after this call. The document is made when it is first asked for:
 * a start does not wait for it.
 */
export function describeApi(app: Http, documentation: Documentation): void {
  const { issuer, webhooks } = documentation
  app.addSchema(Problem)
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Countinghouse', version: API_VERSION, license: { name: 'Apache-2.0' } },
      servers: [{ url: issuer }],
      ...(webhooks !== undefined && { webhooks }),
      components: {
        securitySchemes: {
          client_credentials: {
            type: 'oauth2',
            flows: {
              clientCredentials: {
                tokenUrl: `${issuer}/oauth/token`,
                scopes: { ...documentation.scopes },
              },
            },
          },
        },
      },
    },
    convertConstToEnum: false,
    stripBasePath: false,
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `def-${index}`,
    },
    transform: ({ schema, url, route }) => ({
      schema: describeOperation(documentation, schema ?? {}, route),
      url,
    }),
    transformObject: (document) =>
      enumsOfConstants('openapiObject' in document ? document.openapiObject : document) as never,
  })
}

function describeOperation(
  documentation: Documentation,
  schema: FastifySchema,
  route: RouteOptions,
): FastifySchema {
  const { config = {} } = route
  if (schema.operationId === undefined) return { ...schema, hide: true }
  const keyed = config.idempotency !== undefined && config.idempotency !== 'none'
  return {
    ...schema,
    ...(keyed && { headers: withKey(schema.headers, config.idempotency === 'required') }),
    response: { ...(schema.response as object), ...problemsOf(documentation, schema, route) },
    security: config.public === true ? [] : [{ client_credentials: [config.scope as string] }],
    ...(config.scope !== undefined && { 'x-required-scope': config.scope }),
    ...(keyed && { 'x-idempotency': config.idempotency }),
  }
}

const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 257,
  description:
    'One key per operation, kept over its retries. The same key with another request is refused.',
  examples: ['7f6a2c1e-order-1042'],
})

function withKey(headers: unknown, isRequired: boolean): object {
  const { properties, required, ...rest } = (headers ?? { type: 'object' }) as {
    properties?: object
    required?: string[]
  }
  return {
    ...rest,
    properties: { ...properties, 'Idempotency-Key': IdempotencyKey },
    required: [...(required ?? []), ...(isRequired ? ['Idempotency-Key'] : [])],
  }
}

function problemsOf(
  { errors, authenticationErrors = [] }: Documentation,
  schema: FastifySchema,
  { config = {}, method }: RouteOptions,
): Record<string, object> {
  const keyed = config.idempotency !== undefined && config.idempotency !== 'none'
  const writes = method !== 'GET'
  const codes = [
    'invalid_request',
    ...(schema.body === undefined ? [] : ['invalid_json', 'body_too_large']),
    ...(writes ? ['unsupported_media_type'] : []),
    ...(config.public === true
      ? []
      : [...authenticationErrors, 'insufficient_scope', 'unknown_api_version']),
    ...(config.idempotency === 'required' ? ['idempotency_key_required'] : []),
    ...(keyed ? KEY_ERRORS : []),
    ...(config.errors ?? []),
    ...UNAVAILABLE,
  ]
  const byStatus = new Map<number, string[]>()
  for (const code of new Set(codes)) {
    const spec = errors[code]
    if (spec === undefined) throw new Error(`${schema.operationId} names the unknown error ${code}`)
    byStatus.set(spec.status, [...(byStatus.get(spec.status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\``).join(', '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' } } },
      },
    ]),
  )
}

const KEY_ERRORS = ['idempotency_key_invalid', 'idempotency_key_reused', 'idempotency_key_expired']
const UNAVAILABLE = ['internal_error', 'overloaded', 'database_unavailable']
