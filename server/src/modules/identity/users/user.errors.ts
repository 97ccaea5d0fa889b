import { defineErrors } from '../../../platform/errors.ts'

export const refuse = defineErrors({
  user_not_found: { status: 404, retryable: false, title: 'No such user.' },
  username_taken: {
    status: 409,
    retryable: false,
    title: 'Another user of this tenant has this name.',
  },
  password_too_weak: {
    status: 422,
    retryable: false,
    title: 'The password can be guessed.',
  },
  password_used_before: {
    status: 422,
    retryable: false,
    title: 'The password was used before.',
  },
  passkey_not_found: { status: 404, retryable: false, title: 'No such passkey.' },
  passkey_enrolled: {
    status: 409,
    retryable: false,
    title: 'This passkey is enrolled already.',
  },
  passkey_limit_reached: {
    status: 409,
    retryable: false,
    title: 'This person has as many passkeys as there may be.',
  },
})
