import { defineErrors } from '../errors.ts'

export const refuse = defineErrors({
  idempotency_key_reused: {
    status: 422,
    retryable: false,
    title: 'This Idempotency-Key was used for a different request.',
  },
  idempotency_key_expired: {
    status: 409,
    retryable: false,
    title: 'This Idempotency-Key was used, and its answer is no longer kept.',
  },
  overloaded: {
    status: 503,
    retryable: true,
    title: 'Too much is waiting. Try again shortly.',
  },
})
