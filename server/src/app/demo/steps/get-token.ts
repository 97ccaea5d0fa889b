import type { Answer, Api } from '../api.ts'
import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'

export async function getToken({ api, checks, credentials }: Story): Promise<void> {
  const answer = await askToken(api, credentials.clients.backoffice, {
    grant_type: 'client_credentials',
  })
  checks.answer(answer, 200, { token_type: 'Bearer' })
  const token = memberOf(answer.body, 'access_token')
  checks.equal('access_token is a', typeof token, 'string')
  api.carry(String(token))
}

interface ClientCredentials {
  readonly client_id: string
  readonly client_secret: string
}

/** A request to the token endpoint by a client that shows its secret. */
export function askToken(
  api: Api,
  client: ClientCredentials,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
  return api.post('/oauth/token', {
    body: new URLSearchParams(form),
    headers: { authorization: `Basic ${basic}` },
  })
}
