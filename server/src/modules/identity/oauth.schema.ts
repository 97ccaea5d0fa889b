import { Type } from 'typebox'
import { closed } from '../../platform/fields.ts'

/** For the API document only: the authorization server reads the form and judges it itself. */
export const TokenForm = Type.Object(
  {
    grant_type: Type.Literal('client_credentials'),
    scope: Type.Optional(
      Type.String({
        maxLength: 2_000,
        description: 'Space-separated. Left out: all the client holds.',
      }),
    ),
    client_id: Type.Optional(Type.String({ maxLength: 64 })),
    client_secret: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Here or in the Authorization header, never both.',
      }),
    ),
    client_assertion_type: Type.Optional(
      Type.Literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
    ),
    client_assertion: Type.Optional(
      Type.String({ maxLength: 8_192, description: 'A JWT signed by the client (RFC 7523).' }),
    ),
  },
  closed,
)

export const TokenAnswer = Type.Object({
  access_token: Type.String({ description: 'A JWT of RFC 9068. Send it as a bearer token.' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  scope: Type.String(),
})

/** RFC 6749 §5.2. The OAuth endpoints answer this where others answer problem details. */
export const OauthError = Type.Object({
  error: Type.String(),
  error_description: Type.Optional(Type.String()),
})
