import { Type } from 'typebox'
import { closed } from '../../platform/fields.ts'

/** For the API document only: the authorization server reads the form and judges it itself. */
export const TokenForm = Type.Object(
  {
    grant_type: Type.Union([
      Type.Literal('client_credentials'),
      Type.Literal('authorization_code'),
      Type.Literal('refresh_token'),
    ]),
    code: Type.Optional(Type.String({ maxLength: 200, description: 'Of the redirect back.' })),
    redirect_uri: Type.Optional(
      Type.String({ maxLength: 2_000, description: 'The same as at the start.' }),
    ),
    code_verifier: Type.Optional(Type.String({ minLength: 43, maxLength: 128 })),
    refresh_token: Type.Optional(
      Type.String({ maxLength: 200, description: 'The last one; an older one ends the grant.' }),
    ),
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
  access_token: Type.String({ description: 'A JWT of RFC 9068.' }),
  token_type: Type.Union([Type.Literal('Bearer'), Type.Literal('DPoP')]),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  scope: Type.String(),
  refresh_token: Type.Optional(Type.String({ description: 'A new one at every use. Keep it.' })),
  id_token: Type.Optional(Type.String({ description: 'A JWT about the sign-in, with `openid`.' })),
})

/** RFC 9126 §2.2. */
export const PushedRequest = Type.Object({
  request_uri: Type.String(),
  expires_in: Type.Integer({ description: 'Seconds.' }),
})

export const TokenQuestion = Type.Object(
  {
    token: Type.String({ maxLength: 8_192 }),
    token_type_hint: Type.Optional(Type.String({ maxLength: 40 })),
    client_id: Type.Optional(Type.String({ maxLength: 64 })),
    client_secret: Type.Optional(Type.String({ maxLength: 200 })),
    client_assertion_type: Type.Optional(Type.String({ maxLength: 100 })),
    client_assertion: Type.Optional(Type.String({ maxLength: 8_192 })),
  },
  closed,
)

/** RFC 7662 §2.2. Of a token that is not good, or that is none of the caller's business: only `active`. */
export const Introspection = Type.Object({
  active: Type.Boolean(),
  sub: Type.Optional(Type.String()),
  client_id: Type.Optional(Type.String()),
  scope: Type.Optional(Type.String()),
  exp: Type.Optional(Type.Integer()),
  iat: Type.Optional(Type.Integer()),
})

/** RFC 6749 §5.2. The OAuth endpoints answer this where others answer problem details. */
export const OauthError = Type.Object({
  error: Type.String(),
  error_description: Type.Optional(Type.String()),
})
