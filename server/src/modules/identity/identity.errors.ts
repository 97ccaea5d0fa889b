import { defineErrors } from '../../platform/errors.ts'

/** What the guard says, on every route. */
export const refuse = defineErrors({
  token_missing: {
    status: 401,
    retryable: false,
    title: 'This request needs an access token.',
  },
  token_invalid: {
    status: 401,
    retryable: false,
    title: 'The access token is not accepted.',
  },
  token_expired: {
    status: 401,
    retryable: false,
    title: 'The access token has expired.',
  },
  token_revoked: {
    status: 401,
    retryable: false,
    title: 'The access token was taken back.',
  },
  proof_invalid: {
    status: 401,
    retryable: false,
    title: 'The DPoP proof is not accepted.',
  },
  proof_repeated: {
    status: 400,
    retryable: false,
    title: 'A request carries exactly one DPoP header.',
  },
  insufficient_user_authentication: {
    status: 401,
    retryable: false,
    title: 'This operation needs a stronger or more recent sign-in.',
  },
  token_repeated: {
    status: 400,
    retryable: false,
    title: 'A request carries exactly one Authorization header.',
  },
  token_misplaced: {
    status: 400,
    retryable: false,
    title: 'An access token belongs in the Authorization header.',
  },
})
