import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { cookieBrowser } from './cookie-browser.ts'
import type { TestService } from './service.ts'

const REDIRECT = 'http://127.0.0.1:9/callback' // nobody listens: the browser stops before
const SCOPE = 'openid accounts:read balance:read transfer:write'

export interface App {
  readonly id: string
  readonly config: client.Configuration
}

export interface Customer {
  readonly id: string
  readonly username: string
  readonly password: string
  readonly account: string
}

/** Apps of third parties and the two customers of the sample data, on the whole service. */
export interface CustomerApps {
  givenApp(changes?: object): Promise<App>
  customer(at: 0 | 1): Promise<Customer>
  /** The consent page, and what its button for allowing leads to. */
  openPage(app: App, who: Customer, more?: Record<string, string>): Promise<ConsentPage>
  /** The tokens of an app that this customer has let in. */
  connected(app: App, who: Customer): Promise<Tokens>
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>

export interface ConsentPage {
  readonly text: string
  allow(): Promise<Tokens>
}

export function customerApps(service: TestService): CustomerApps {
  async function openPage(app: App, who: Customer, more: Record<string, string> = {}) {
    const verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const url = client.buildAuthorizationUrl(app.config, {
      redirect_uri: REDIRECT,
      scope: SCOPE,
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    })
    const browser = cookieBrowser(service.baseUrl)
    const login = await browser.open(url.href)
    assert.match(login.text, /name="password"/, login.url.href)
    const { text } = await browser.send({ username: who.username, password: who.password })
    const allow = async () => {
      const landed = await browser.send({ decision: 'allow', account_ids: [who.account] })
      return await client.authorizationCodeGrant(app.config, landed.url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
      })
    }
    return { text, allow }
  }

  return {
    async givenApp(changes = {}) {
      const { status, body } = await service.call('POST', '/clients', {
        body: {
          name: 'Budget <i>Planner</i>',
          kind: 'third_party',
          grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
          scope: `${SCOPE} consents:read consents:write`,
          redirect_uris: [REDIRECT],
          authorization_details_types: ['account_information'],
          ...changes,
        },
      })
      assert.equal(status, 201, JSON.stringify(body))
      const config = await client.discovery(
        new URL(service.baseUrl),
        String(body['id']),
        undefined,
        client.ClientSecretBasic(String(body['client_secret'])),
        { execute: [client.allowInsecureRequests] },
      )
      return { id: String(body['id']), config }
    },
    async customer(at) {
      const { customers } = service.credentials
      const { username = '', password = '', account_ids: accounts = [] } = customers[at] ?? {}
      const { body } = await service.call('GET', '/customers')
      const rows = body['data'] as { id: string; username: string }[]
      const id = rows.find((row) => row.username === username)?.id ?? ''
      return { id, username, password, account: accounts[0] ?? '' }
    },
    openPage,
    async connected(app, who) {
      const { allow } = await openPage(app, who)
      return await allow()
    },
  }
}
