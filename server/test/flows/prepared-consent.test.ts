import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { type App, type CustomerApps, customerApps } from '../support/customer-apps.ts'
import { type TestService, startServiceForTests } from '../support/service.ts'

let service: TestService
let apps: CustomerApps

before(async () => {
  service = await startServiceForTests({ worker: false })
  apps = customerApps(service)
})
after(() => service?.close())

/** A consent as an app asks for it beforehand, by a token of its own. */
async function prepare(app: App, body: object): Promise<string> {
  const { access_token: token } = await client.clientCredentialsGrant(app.config, {
    scope: 'consents:write',
  })
  const made = await service.call('POST', '/api/consents', { body, token })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return String(made.body['id'])
}

const details = (...all: object[]) => ({ authorization_details: JSON.stringify(all) })
const naming = (id: string) => details({ type: 'account_information', consent_id: id })
const ASKED = {
  permissions: ['balance:read', 'transfer:write'],
  limits: { max_amount: 5_000, per_day: 8_000, per_month: null, count_per_day: null },
  valid_until: new Date(Date.now() + 5 * 86_400_000).toISOString(),
}

test('limits that an app asked for stand on the page, and hold for its transfers', async () => {
  const [app, who] = [await apps.givenApp(), await apps.customer(0)]
  const id = await prepare(app, ASKED)
  const page = await apps.openPage(app, who, naming(id))
  assert.match(page.text, /At most 50\.00 EUR in one transfer\./)
  assert.match(page.text, /At most 80\.00 EUR in a day\./)
  assert.doesNotMatch(page.text, /in a month|transfers in EUR/)
  assert.doesNotMatch(page.text, /See the names/, 'not more than was prepared')
  const { access_token: token, authorization_details: granted } = await page.allow()
  const [detail] = granted as unknown as Record<string, unknown>[]
  assert.deepEqual([detail?.['consent_id'], detail?.['account_ids']], [id, [who.account]])

  const transfer = async (amount: number) => {
    const body = {
      from_account_id: who.account,
      to_account_id: service.accounts.customer_b,
      amount,
      currency: 'EUR',
    }
    const heard = await service.call('POST', '/api/transfer', { body, token })
    const limit = heard.body['limit'] as Record<string, unknown> | undefined
    return [heard.status, limit?.['of'], limit?.['period'], limit?.['max']]
  }
  const ok = [201, undefined, undefined, undefined]
  assert.deepEqual((await transfer(5_001)).slice(0, 1), [422])
  assert.deepEqual(await transfer(5_000), ok)
  const [status, , period, max] = await transfer(3_001)
  assert.deepEqual([status, period, max], [422, 'day', 8_000])
  assert.deepEqual(await transfer(3_000), ok)
  const accounts = await service.call('GET', '/api/accounts', { token })
  assert.equal(accounts.status, 403, 'accounts:read was asked for and not prepared')
  const { body } = await service.call('GET', `/api/consents/${id}`)
  assert.deepEqual(
    [body['status'], body['user_id'], body['account_ids'], body['valid_until']],
    ['authorised', who.id, [who.account], ASKED.valid_until],
  )
})

test('a prepared consent is answered once, and is the app’s own', async () => {
  const [app, other, who] = [await apps.givenApp(), await apps.givenApp(), await apps.customer(0)]
  const id = await prepare(app, ASKED)
  const foreign = await apps.openPage(other, who, naming(id))
  assert.match(foreign.text, /was answered before, or has run out/)
  assert.doesNotMatch(foreign.text, /in one transfer/, 'nor are the usual terms offered instead')
  await (await apps.openPage(app, who, naming(id))).allow()
  const again = await apps.openPage(app, who, naming(id))
  assert.match(again.text, /was answered before, or has run out/)
  await assert.rejects(again.allow())
})

test('a detail that names a consent names nothing else, and no other kind of thing', async () => {
  const [app, who] = [await apps.givenApp(), await apps.customer(0)]
  const id = await prepare(app, ASKED)
  const type = 'account_information'
  const refused = [
    details({ type, consent_id: 'con_1' }),
    details({ type, consent_id: who.account }),
    details({ type, consent_id: id, valid_until: '2030-01-01T00:00:00Z' }),
    details({ type }),
  ]
  for (const more of refused) {
    await assert.rejects(apps.openPage(app, who, more), /invalid_authorization_details/)
  }
})
