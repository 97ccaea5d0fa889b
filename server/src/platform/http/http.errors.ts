import { defineErrors } from '../errors.ts'

/** What the door itself says no to, before any module is asked. */
export const refuse = defineErrors({
  invalid_request: {
    status: 400,
    retryable: false,
    title: 'The request does not fit the schema of this operation.',
  },
  invalid_json: {
    status: 400,
    retryable: false,
    title: 'The body is not JSON that this API reads.',
  },
  invalid_url: {
    status: 400,
    retryable: false,
    title: 'The path of the request cannot be decoded.',
  },
  invalid_http: {
    status: 400,
    retryable: false,
    title: 'The request is not well-formed HTTP.',
  },
  invalid_cursor: {
    status: 400,
    retryable: false,
    title: 'This cursor does not belong to this list, these filters and this client.',
  },
  unknown_api_version: {
    status: 400,
    retryable: false,
    title: 'This version of the API does not exist.',
  },
  idempotency_key_required: {
    status: 400,
    retryable: false,
    title: 'This operation needs an Idempotency-Key.',
  },
  idempotency_key_invalid: {
    status: 400,
    retryable: false,
    title: 'The Idempotency-Key must be one value of 1 to 255 visible ASCII characters.',
  },
  insufficient_scope: {
    status: 403,
    retryable: false,
    title: 'The token does not carry the scope of this operation.',
  },
  not_found: {
    status: 404,
    retryable: false,
    title: 'There is nothing at this address.',
  },
  method_not_allowed: {
    status: 405,
    retryable: false,
    title: 'This address does not answer this method.',
  },
  request_timeout: {
    status: 408,
    retryable: false,
    title: 'The request took too long to arrive.',
  },
  version_conflict: {
    status: 412,
    retryable: false,
    title: 'The object has changed since the version named in If-Match.',
  },
  body_too_large: {
    status: 413,
    retryable: false,
    title: 'The body is larger than this operation takes.',
  },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    title: 'This operation does not read this Content-Type or Content-Encoding.',
  },
  if_match_required: {
    status: 428,
    retryable: false,
    title: 'This object may only be changed with an If-Match header.',
  },
  headers_too_large: {
    status: 431,
    retryable: false,
    title: 'The header fields are larger than this server takes.',
  },
  internal_error: {
    status: 500,
    retryable: true,
    title: 'Internal error',
  },
  database_unavailable: {
    status: 503,
    retryable: true,
    title: 'The database cannot be reached. Ask again with the same Idempotency-Key.',
  },
  handler_timeout: {
    status: 503,
    retryable: true,
    title: 'The answer took too long. What became of it is unknown: ask again with the same key.',
  },
  not_ready: {
    status: 503,
    retryable: true,
    title: 'This process cannot serve requests now.',
  },
  shutting_down: {
    status: 503,
    retryable: true,
    title: 'This process is stopping. Ask again.',
  },
})
