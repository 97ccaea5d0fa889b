import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'
import { publicId } from '../../platform/ids.ts'

/**
 * What is not an actor's is, for that actor, not there: over every route and every place where an id
 * can stand, a stranger's id gets the answer of one that nobody has, in status, body and number of
 * statements. A route without its places here fails.
 */

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object
}

/** A place for an id of some kind. `payee`: any account of the bank will do, so only its walls count. */
type Kind = 'account' | 'payee' | 'transfer' | 'beneficiary' | 'consent'
type Places = readonly (readonly [Kind, (id: string) => Omit<Call, 'method'>])[]

let own: string // the account of the app's consent
let strangers: Record<Kind, Record<string, string>>

const pay = (more: object) => ({
  path: '/api/transfer',
  body: { amount: 1, currency: 'EUR', ...more },
})

const routes: Readonly<Record<string, Places>> = {
  'GET /api/accounts': [],
  'GET /api/account/balance': [
    ['account', (id) => ({ path: `/api/account/balance?account_id=${id}` })],
    [
      'account',
      (id) => ({ path: `/api/account/balance?account_id=${id}&as_of=2026-01-01T00:00:00Z` }),
    ],
  ],
  'GET /api/accounts/:id/transactions': [
    ['account', (id) => ({ path: `/api/accounts/${id}/transactions` })],
    ['account', (id) => ({ path: `/api/accounts/${id}/transactions?status=pending` })],
  ],
  'POST /api/transfer': [
    ['account', (id) => pay({ from_account_id: id, to_account_id: own })],
    ['payee', (id) => pay({ from_account_id: own, to_account_id: id })],
    ['beneficiary', (id) => pay({ from_account_id: own, beneficiary_id: id })],
  ],
  'GET /api/transfer/:id': [['transfer', (id) => ({ path: `/api/transfer/${id}` })]],
  'POST /api/transfer/:id/cancel': [['transfer', (id) => ({ path: `/api/transfer/${id}/cancel` })]],
  'POST /api/beneficiaries': [
    ['payee', (id) => ({ path: '/api/beneficiaries', body: { name: 'X', account_id: id } })],
  ],
  'GET /api/beneficiaries': [],
  'GET /api/beneficiaries/:id': [['beneficiary', (id) => ({ path: `/api/beneficiaries/${id}` })]],
  'PATCH /api/beneficiaries/:id': [
    ['beneficiary', (id) => ({ path: `/api/beneficiaries/${id}`, body: { name: 'X' } })],
  ],
  'DELETE /api/beneficiaries/:id': [
    ['beneficiary', (id) => ({ path: `/api/beneficiaries/${id}` })],
  ],
  'POST /api/consents': [],
  'GET /api/consents': [],
  'GET /api/consents/:id': [['consent', (id) => ({ path: `/api/consents/${id}` })]],
  'DELETE /api/consents/:id': [['consent', (id) => ({ path: `/api/consents/${id}` })]],
}

let world: BankingWorld
let app: string
before(async () => {
  world = await startBankingWorld()
  const { home, abroad } = world
  const { anna, bert } = home
  own = anna.accounts[0]
  app = (await world.givenConsent(anna, [own])).actor
  const kept = await givenTraces('cli_app', { tenant: home, customer: bert })
  const foreign = await givenTraces('cli_app', { tenant: abroad, customer: abroad.anna })
  const wider = await givenTraces('cli_app', { tenant: home, customer: anna })
  strangers = {
    account: {
      'of another tenant': abroad.anna.accounts[0],
      'of another customer': bert.accounts[0],
      'of the customer, outside the consent': anna.accounts[1] as string,
      'of the bank itself': publicId('acc', home.bank),
    },
    payee: {
      'of another tenant': abroad.anna.accounts[0],
      'of the bank itself': publicId('acc', home.bank),
    },
    transfer: {
      'of another tenant': foreign.transfer,
      'of another customer': kept.transfer,
      'of the customer, from outside the consent': wider.transfer,
    },
    beneficiary: {
      'of another tenant': foreign.beneficiary,
      'of another customer': kept.beneficiary,
    },
    consent: { 'of another tenant': foreign.consent, 'of another customer': kept.consent },
  }
})
after(() => world.close())

/** What an app leaves behind for a customer: a consent, a payee, a transfer that waits. */
async function givenTraces(
  clientId: string,
  { tenant, customer }: { tenant: BankingWorld['home']; customer: BankingWorld['home']['anna'] },
) {
  const account = await world.givenAccount(customer, { tenant })
  const { actor, id } = await world.givenConsent(customer, [account], { tenant, clientId })
  const payee = { name: 'Landlord', iban: 'DE89370400440532013000', currency: 'EUR' }
  const saved = await world.call(actor, 'POST', '/api/beneficiaries', { body: payee })
  const made = await world.transfer(actor, {
    from_account_id: account,
    beneficiary_id: saved.body['id'],
    amount: 1,
  })
  assert.equal(made.status, 202, made.text)
  return {
    consent: id,
    beneficiary: saved.body['id'] as string,
    transfer: made.body['id'] as string,
  }
}

test('every route of the module has its places here', () => {
  const registered = world.routes.map(({ method, url }) => `${method} ${url}`)
  assert.ok(registered.length > 10)
  assert.deepEqual(registered.toSorted(), Object.keys(routes).toSorted())
})

for (const [route, places] of Object.entries(routes)) {
  for (const [index, [kind, call]] of places.entries()) {
    test(`${route}, place ${index + 1}: nobody's ${kind} and a stranger's are the same`, async () => {
      const method = route.split(' ')[0] as Call['method']
      const before = await fingerprint()
      await heard(app, method, call(nobodys(kind))) // the first call connects
      const expected = await heard(app, method, call(nobodys(kind)))
      assert.equal(expected.status, 404, expected.text)
      for (const [whose, id] of Object.entries(strangers[kind])) {
        assert.deepEqual(await heard(app, method, call(id)), expected, whose)
      }
      assert.deepEqual(await fingerprint(), before, 'something was written')
    })

    test(`${route}, place ${index + 1}: the bank does not see another tenant's ${kind}`, async () => {
      const method = route.split(' ')[0] as Call['method']
      await heard('cli_bank', method, call(nobodys(kind)))
      const expected = await heard('cli_bank', method, call(nobodys(kind)))
      assert.equal(expected.status, 404, expected.text)
      const id = strangers[kind]['of another tenant'] as string
      assert.deepEqual(await heard('cli_bank', method, call(id)), expected)
    })
  }
}

test('lists hold nothing of strangers', async () => {
  const foreign = Object.values(strangers).flatMap((ids) => Object.values(ids))
  for (const path of ['/api/accounts', '/api/beneficiaries', '/api/consents']) {
    const { status, text } = await world.call(app, 'GET', `${path}?limit=200`)
    assert.equal(status, 200)
    for (const id of foreign) assert.ok(!text.includes(id), `${path} shows ${id}`)
  }
})

test('a cursor of one account opens no other', async () => {
  const { anna } = world.home
  const both = await world.givenConsent(anna, anna.accounts)
  await world.transfer(both.actor, {
    from_account_id: anna.accounts[0],
    to_account_id: anna.accounts[1],
    amount: 1,
  })
  const path = (id: string | undefined, more: string) => `/api/accounts/${id}/transactions?${more}`
  const { body } = await world.call(both.actor, 'GET', path(anna.accounts[0], 'limit=1'))
  const carried = path(anna.accounts[1], `limit=1&cursor=${body['next_cursor']}`)
  assert.equal((await world.call(both.actor, 'GET', carried)).status, 400)
})

const PREFIX = { account: 'acc', payee: 'acc', transfer: 'trf', beneficiary: 'ben', consent: 'con' }
function nobodys(kind: Kind): string {
  return publicId(PREFIX[kind], crypto.randomUUID())
}

/** An answer without what names the request, and how many statements it took. */
async function heard(actor: string, method: Call['method'], { path, body }: Omit<Call, 'method'>) {
  const counter = countStatements()
  const answer = await world.call(actor, method, path, { ...(body !== undefined && { body }) })
  const statements = counter.stop()
  assert.ok(statements > 0, 'the counter counts')
  const { request_id: _request, trace_id: _trace, instance: _instance, ...rest } = answer.body
  return { status: answer.status, rest, statements, text: JSON.stringify(rest) }
}

function countStatements() {
  const { prototype } = pg.Client
  const { query } = prototype
  let statements = 0
  prototype.query = function counted(this: unknown, ...asked: unknown[]) {
    statements += 1
    return query.apply(this as never, asked as never)
  } as typeof query
  return {
    stop() {
      prototype.query = query
      return statements
    },
  }
}

/** Rows that a refused request must not have made. */
async function fingerprint(): Promise<object[]> {
  const tables = ['transfers', 'beneficiaries', 'consents', 'limit_counters']
  const counts = tables.map((table) => `(select count(*) from banking.${table}) as ${table}`)
  return await world.asOwner(`
    select ${counts.join(', ')}, (select count(*) from platform.events) as events,
           (select count(*) from audit.events) as acts,
           (select sum(version) from banking.consents) as versions`)
}
