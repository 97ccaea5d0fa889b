import { type Static, Type } from 'typebox'
import { Id, Instant, Version, closed } from '../../../platform/fields.ts'
import { publicId } from '../../../platform/ids.ts'
import { pageParameters } from '../../../platform/page.ts'
import type { Factor } from './credential.queries.ts'
import { operatorRoleNames } from './operator.roles.ts'
import { MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from './password.rules.ts'
import type { UserRow } from './user.queries.ts'
import { USERNAME_PATTERN } from './username.ts'

const Username = Type.String({ pattern: USERNAME_PATTERN, maxLength: 64 })
const Name = Type.String({ minLength: 1, maxLength: 200 })
const FactorKind = Type.Union([
  Type.Literal('password'),
  Type.Literal('totp'),
  Type.Literal('passkey'),
])
const Status = Type.Union([Type.Literal('active'), Type.Literal('disabled')])
const Role = Type.Union(operatorRoleNames.map((role) => Type.Literal(role)))
const Password = Type.String({
  minLength: MIN_PASSWORD_CHARS,
  maxLength: MAX_PASSWORD_CHARS,
  description: 'Left out: one is made and shown in the answer, this once.',
})
const Secrets = {
  password: Type.Optional(Type.String({ description: 'Made by us, shown this once.' })),
  totp_secret: Type.Optional(
    Type.String({ description: 'Base32, for an authenticator app, shown this once.' }),
  ),
  totp_uri: Type.Optional(Type.String({ description: 'The same as an otpauth link.' })),
}

const person = {
  id: Id('usr'),
  username: Username,
  display_name: Name,
  party_id: Id('prt'),
  status: Status,
  factors: Type.Array(FactorKind, { maxItems: 3 }),
  version: Version,
  created_at: Instant,
}

export const Customer = Type.Object({ object: Type.Literal('customer'), ...person }, closed)
export const Operator = Type.Object(
  { object: Type.Literal('operator'), ...person, roles: Type.Array(Role) },
  closed,
)
export const NewCustomer = Type.Object({ ...Customer.properties, ...Secrets }, closed)
export const NewOperator = Type.Object({ ...Operator.properties, ...Secrets }, closed)
export const NewSecrets = Type.Object({ id: Id('usr'), ...Secrets }, closed)

export const CustomerBody = Type.Object(
  {
    username: Username,
    display_name: Name,
    password: Type.Optional(Password),
    party_id: Type.Optional(Id('prt')),
    totp: Type.Optional(
      Type.Boolean({ default: false, description: 'Enrols one-time codes as a second factor.' }),
    ),
  },
  closed,
)
export type CustomerBody = Static<typeof CustomerBody>

/** An operator always has a second factor. */
export const OperatorBody = Type.Object(
  {
    username: Username,
    display_name: Name,
    password: Type.Optional(Password),
    roles: Type.Array(Role, { minItems: 1, maxItems: 10, uniqueItems: true }),
  },
  closed,
)

export const UserParams = Type.Object({ id: Id('usr') }, closed)
export const UserList = Type.Object({ ...pageParameters }, closed)
export const PasswordBody = Type.Object({ password: Type.Optional(Password) }, closed)

export interface UserView {
  readonly row: UserRow
  readonly factors: readonly Factor[]
}

export function toUser({ row, factors }: UserView) {
  return {
    object: row.kind,
    id: publicId('usr', row.user_id),
    username: row.username,
    display_name: row.display_name,
    party_id: publicId('prt', row.party_id),
    ...(row.kind === 'operator' && { roles: row.roles }),
    status: row.status,
    factors: [...factors],
    version: row.version,
    created_at: row.created_at.toISOString(),
  }
}
