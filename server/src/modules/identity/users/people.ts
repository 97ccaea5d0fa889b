/** What others may use of the people who sign in. */
export { createUsers } from './create-users.ts'
export { newPassword } from './new-password.ts'
export { type AskedUser, prepareUser } from './prepare-user.ts'
export { renewSecrets } from './renew-secrets.ts'
export { newTotpSecret, toBase32 } from './totp.ts'
export { refuse as userErrors } from './user.errors.ts'
export { userRoutes } from './user.routes.ts'
export { isUsername } from './username.ts'
