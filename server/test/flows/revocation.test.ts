import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { SignJWT, importJWK } from 'jose'
import type pg from 'pg'
import { revokeGrants } from '../../src/modules/identity/index.ts'
import { revokeSubjects, revokeTenants } from '../../src/modules/identity/revoke-tokens.ts'
import { openKeyring } from '../../src/modules/identity/signing-keys.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { rootKey } from '../../src/platform/crypto/local-keys.ts'
import { sealingUnder } from '../../src/platform/crypto/sealing.ts'
import { openPools } from '../../src/platform/db/pools.ts'
import { inTransaction } from '../../src/platform/db/transaction.ts'
import { internalId } from '../../src/platform/ids.ts'
import { givenDataDirectory } from '../support/data-directory.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { launch } from '../support/launch.ts'
import { credentialsIn } from '../support/sandbox-client.ts'

test('two API processes: what one takes back, the other refuses within a second', async (t) => {
  const dataDir = await givenDataDirectory(t)
  const connection = await createEmptyDatabase()
  const DATABASE_URL = urlOf(connection)
  const [port, gatewayPort, otherPort] = [await freePort(), await freePort(), await freePort()]
  const flags = ['--data', dataDir, '--gateway-port', `${gatewayPort}`]
  const first = launch(t, ['start', ...flags, '--port', `${port}`], { DATABASE_URL })
  await first.sees('ready in')
  const issuer = `http://127.0.0.1:${port}`
  const second = launch(t, ['api', ...flags, '--port', `${otherPort}`, '--issuer', issuer], {
    DATABASE_URL,
  })
  await second.sees('"msg":"ready"')
  const elsewhere = `http://127.0.0.1:${otherPort}`

  const credentials = credentialsIn(dataDir)
  const tenantId = internalId('ten', credentials.tenant_id) as string
  const { backoffice } = credentials.clients
  const pools = openPools(connection, () => undefined)
  t.after(() => pools.close())
  const sealing = sealingUnder(await rootKey({ dataDirectory: dataDir }))
  const keyring = await openKeyring(pools.identity, { sealing, clock: systemClock })

  async function tokenOf({ client_id: id, client_secret: secret }: typeof backoffice) {
    const response = await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    return ((await response.json()) as { access_token: string }).access_token
  }

  const admin = await tokenOf(backoffice)
  const call = (method: string, path: string, body: object) =>
    fetch(issuer + path, {
      method,
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const registered = await call('POST', '/clients', {
    name: 'Budget app',
    grant_types: ['authorization_code'],
    scope: 'openid balance:read',
    redirect_uris: ['https://app.example/callback'],
  })
  const app = (await registered.json()) as { id: string }

  /** A token as the server signs it for a customer of an app. */
  async function userToken(changes: object): Promise<string> {
    const [key] = keyring.current()
    assert.ok(key)
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: issuer,
      aud: 'urn:countinghouse:api',
      iat: now,
      exp: now + 900,
      jti: randomUUID(),
      client_id: app.id,
      tid: tenantId,
      env: 'sandbox',
      pid: randomUUID(),
      acr: 'ch:1',
      amr: ['pwd'],
      auth_time: now,
      scope: 'payments:read',
      ...changes,
    }
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
      .sign(await importJWK({ ...key.privateJwk }, 'ES256'))
  }

  async function statusAt(baseUrl: string, token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(`${baseUrl}/payments?limit=1`, { headers })).status
  }

  async function refusedWithinASecond(what: string, token: string, act: () => Promise<unknown>) {
    assert.deepEqual([await statusAt(issuer, token), await statusAt(elsewhere, token)], [200, 200])
    await act()
    const began = performance.now()
    for (const baseUrl of [elsewhere, issuer]) {
      while ((await statusAt(baseUrl, token)) !== 401) {
        const waited = performance.now() - began
        assert.ok(waited < 1_000, `${what}: let in after ${waited.toFixed(0)} ms`)
        await sleep(10)
      }
    }
    t.diagnostic(`${what}: refused everywhere after ${(performance.now() - began).toFixed(0)} ms`)
  }

  const write = (act: Parameters<typeof inTransaction<void>>[1]) => inTransaction(pools.money, act)
  const reason = 'test'

  const own = await tokenOf(backoffice)
  await refusedWithinASecond('a token', own, () =>
    fetch(`${issuer}/oauth/revoke`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${backoffice.client_id}:${backoffice.client_secret}`)}`,
      },
      body: new URLSearchParams({ token: own }),
    }),
  )

  const gid = randomUUID()
  const granted = await userToken({ sub: 'usr_a', gid })
  await refusedWithinASecond('a grant', granted, () =>
    write((tx) => revokeGrants(tx, [{ tenantId, grantId: gid, reason, at: new Date() }])),
  )

  const persons = await userToken({ sub: 'usr_b', gid: randomUUID() })
  await refusedWithinASecond('a person', persons, () =>
    write((tx) => revokeSubjects(tx, [{ tenantId, userId: 'usr_b', reason, at: new Date() }])),
  )

  const { approver } = credentials.clients
  await refusedWithinASecond('a client', await tokenOf(approver), () =>
    call('PATCH', `/clients/${approver.client_id}`, { status: 'disabled' }),
  )

  await refusedWithinASecond('a tenant', admin, () =>
    write((tx) => revokeTenants(tx, [{ tenantId, reason, at: new Date() }])),
  )
})

function urlOf({ host, port, user, password, database }: pg.ClientConfig): string {
  const query = new URLSearchParams({ host: `${host}`, port: `${port}`, user: `${user}` })
  if (typeof password === 'string') query.set('password', password)
  return `postgres:///${database}?${query.toString()}`
}
