import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'

export async function getToken({ api, checks, client }: Story): Promise<void> {
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
  const answer = await api.post('/oauth/token', {
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    headers: { authorization: `Basic ${basic}` },
  })
  checks.answer(answer, 200, { token_type: 'Bearer' })
  const token = memberOf(answer.body, 'access_token')
  checks.equal('access_token is a', typeof token, 'string')
  api.carry(String(token))
}
