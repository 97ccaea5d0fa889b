import { defineErrors } from '../../../platform/errors.ts'

export const refuse = defineErrors({
  client_not_found: {
    status: 404,
    retryable: false,
    title: 'There is no such client.',
  },
  client_invalid: {
    status: 422,
    retryable: false,
    title: 'A client may not be like this.',
  },
  client_exceeds_caller: {
    status: 403,
    retryable: false,
    title: 'Nobody gives or manages scopes that he does not hold.',
  },
  client_secrets_full: {
    status: 409,
    retryable: false,
    title: 'The client has two secrets: retire one first.',
  },
  client_secret_needed: {
    status: 409,
    retryable: false,
    title: 'This is the only secret of the client: add another first.',
  },
  client_secret_not_found: {
    status: 404,
    retryable: false,
    title: 'The client has no such secret.',
  },
})
