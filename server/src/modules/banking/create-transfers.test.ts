import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type BankingWorld,
  OPENING,
  startBankingWorld,
} from '../../../test/support/banking-world.ts'
import { knownId, publicId } from '../../platform/ids.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const unknown = () => publicId('acc', crypto.randomUUID())

/** Two accounts of Anna’s with money, and an app that may see and pay from the first. */
async function givenApp(changes: Parameters<BankingWorld['givenConsent']>[2] = {}) {
  const { anna } = world.home
  const [from, other] = [await world.givenAccount(anna), await world.givenAccount(anna)]
  const { actor, id, row } = await world.givenConsent(anna, [from], changes)
  return { from, other, actor, consentId: id, row }
}

async function stored(id: string): Promise<number> {
  const rows = await world.asOwner('select 1 from banking.transfers where from_account_id = $1', [
    knownId(id),
  ])
  return rows.length
}

test('an app moves its customer’s money at once, and both balances show it', async () => {
  const { from, other, actor, consentId } = await givenApp()
  const made = await world.transfer(actor, {
    from_account_id: from,
    to_account_id: other,
    amount: 12_345,
    reference: 'Rent',
    end_to_end_id: 'e2e-1',
    metadata: { order: '7' },
  })
  assert.equal(made.status, 201, made.text)
  const { body } = made
  assert.equal(made.headers['location'], `/api/transfer/${body['id']}`)
  assert.equal(made.headers['cache-control'], 'no-store')
  assert.deepEqual(
    [body['status'], body['iso_status'], body['consent_id'], body['end_to_end_id']],
    ['booked', 'ACCC', consentId, 'e2e-1'],
  )
  assert.deepEqual(body['initiated_by'], {
    client_id: 'cli_app',
    user_id: world.home.anna.userId,
  })
  assert.match(body['transaction_id'], /^txn_/)
  assert.equal((await world.balanceOf(from))['booked'], OPENING - 12_345)
  assert.equal((await world.balanceOf(other))['booked'], OPENING + 12_345)
  const read = await world.call(actor, 'GET', `/api/transfer/${body['id']}`)
  assert.deepEqual(read.body, body)
})

test('to another customer of the bank it takes no consent of theirs', async () => {
  const { from, actor } = await givenApp()
  const to = world.home.bert.accounts[0]
  const made = await world.transfer(actor, { from_account_id: from, to_account_id: to, amount: 1 })
  assert.equal(made.status, 201, made.text)
})

test('the bank transfers between accounts of its customers without a consent', async () => {
  const { from, other } = await givenApp()
  const body = { from_account_id: from, to_account_id: other, amount: 5 }
  const made = await world.transfer('cli_bank', body)
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body['consent_id'], null)
  assert.deepEqual(made.body['initiated_by'], { client_id: 'cli_bank', user_id: null })
})

test('an app that acts for itself, without a customer, moves nothing', async () => {
  const { from, other } = await givenApp()
  const actor = world.givenActor('app_itself', { tenantId: world.home.id, clientId: 'cli_app' })
  const made = await world.transfer(actor, {
    from_account_id: from,
    to_account_id: other,
    amount: 5,
  })
  assert.deepEqual([made.status, made.body['code']], [403, 'consent_required'])
})

test('accounts unconsented, foreign and unknown are refused alike', async () => {
  const { from, other, actor } = await givenApp()
  const foreign = world.abroad.anna.accounts[0]
  const berts = world.home.bert.accounts[0]
  const heard = []
  for (const id of [other, foreign, berts, unknown()]) {
    const body = { from_account_id: id, to_account_id: from, amount: 1 }
    heard.push(await world.transfer(actor, body))
  }
  for (const id of [foreign, unknown(), publicId('acc', world.home.bank)]) {
    const body = { from_account_id: from, to_account_id: id, amount: 1 }
    heard.push(await world.transfer(actor, body))
  }
  for (const { status, body } of heard) {
    assert.deepEqual([status, body['code']], [404, 'bank_account_not_found'])
  }
  assert.equal(await stored(other), 0)
  assert.equal(await stored(from), 0)
})

test('an account that the customer no longer holds is out of reach', async () => {
  const { from, other, actor } = await givenApp()
  const body = { from_account_id: from, to_account_id: other, amount: 1 }
  assert.equal((await world.transfer(actor, body)).status, 201)
  await world.asOwner('update banking.account_holders set ended_at = now() where account_id = $1', [
    knownId(from),
  ])
  assert.equal((await world.transfer(actor, body)).status, 404)
})

for (const [what, changes] of Object.entries({
  'is revoked': { state: 'revoked' as const },
  'has run out': { valid_until: new Date(Date.now() - 1_000) },
  'does not include transfers': { permissions: ['balance:read'] },
  'is another person’s': { user_id: 'usr_00000000000000000000000000' },
})) {
  test(`a consent that ${what} moves nothing`, async () => {
    const { from, other, actor } = await givenApp(changes)
    const body = { from_account_id: from, to_account_id: other, amount: 1 }
    const made = await world.transfer(actor, body)
    assert.deepEqual([made.status, made.body['code']], [403, 'consent_required'])
    assert.equal((await world.balanceOf(from))['booked'], OPENING)
  })
}

test('amounts that are none never reach the books', async () => {
  const { from, other, actor } = await givenApp()
  for (const amount of [0, -1, 1.5, '10', 2 ** 53, 1_000_000_000_001, null]) {
    const body = { from_account_id: from, to_account_id: other, amount }
    const made = await world.transfer(actor, body)
    assert.equal(made.status, 400, `${amount}: ${made.text}`)
  }
  assert.equal((await world.balanceOf(from))['version'], 1)
})

test('more than there is creates nothing, and names what there is to whom may see it', async () => {
  const { from, other, actor } = await givenApp()
  const body = { from_account_id: from, to_account_id: other, amount: OPENING + 1 }
  const made = await world.transfer(actor, body)
  assert.deepEqual(
    [made.status, made.body['code'], made.body['available']],
    [422, 'insufficient_funds', OPENING],
  )
  const blind = await givenApp({ permissions: ['transfer:write'] })
  const hidden = await world.transfer(blind.actor, {
    from_account_id: blind.from,
    to_account_id: other,
    amount: OPENING + 1,
  })
  assert.equal(hidden.status, 422)
  assert.equal('available' in hidden.body, false)
  assert.equal((await world.balanceOf(from))['booked'], OPENING)
  const events = await world.asOwner(
    `select 1 from platform.events where object_kind = 'transfer' and data::jsonb->>'from_account_id' = $1`,
    [from],
  )
  assert.equal(events.length, 0)
})

test('of parallel transfers of the whole balance exactly one is made', async () => {
  const { from, other, actor } = await givenApp()
  const body = { from_account_id: from, to_account_id: other, amount: OPENING }
  const made = await Promise.all(Array.from({ length: 40 }, () => world.transfer(actor, body)))
  assert.equal(made.filter(({ status }) => status === 201).length, 1)
  assert.equal(made.filter(({ status }) => status === 422).length, 39)
  assert.equal((await world.balanceOf(from))['booked'], 0)
  assert.equal((await world.balanceOf(other))['booked'], 2 * OPENING)
})

test('frozen, closed, of another currency, or the same: each is told', async () => {
  const { from, other, actor } = await givenApp()
  const { anna } = world.home
  const dollars = await world.givenAccount(anna, { currency: 'USD', funds: 0 })
  const to = (id: string) => ({ from_account_id: from, to_account_id: id, amount: 1 })
  const codes = async (body: object) => {
    const heard = await world.transfer(actor, body)
    return [heard.status, heard.body['code']]
  }
  assert.deepEqual(await codes(to(from)), [422, 'same_account'])
  assert.deepEqual(await codes(to(dollars)), [422, 'currency_mismatch'])
  assert.deepEqual(await codes({ ...to(other), currency: 'USD' }), [422, 'currency_mismatch'])
  const set = (id: string, column: string, value: string) =>
    world.asOwner(`update ledger.balances set ${column} = '${value}' where account_id = $1`, [
      knownId(id),
    ])
  await set(other, 'blocked', 'incoming')
  assert.deepEqual(await codes(to(other)), [409, 'account_frozen'])
  await set(other, 'blocked', 'outgoing')
  assert.deepEqual(await codes(to(other)), [201, undefined])
  await set(other, 'status', 'closed')
  assert.deepEqual(await codes(to(other)), [409, 'account_closed'])
  await set(from, 'blocked', 'both')
  assert.deepEqual(await codes(to(dollars)), [409, 'account_frozen'])
})

test('a limit is reached exactly, and one unit more is refused with what is left', async () => {
  const { from, other, actor } = await givenApp({
    max_amount: 60n,
    per_day: 100n,
    per_month: 1_000n,
    count_per_day: 3,
  })
  const pay = (amount: number) =>
    world.transfer(actor, { from_account_id: from, to_account_id: other, amount })
  const single = await pay(61)
  assert.deepEqual([single.status, single.body['limit'].period], [422, 'transfer'])
  assert.equal((await pay(60)).status, 201)
  const day = await pay(41)
  assert.deepEqual(
    [day.body['code'], day.body['limit'].period, day.body['limit'].max, day.body['limit'].used],
    ['limit_exceeded', 'day', 100, 60],
  )
  assert.ok(Date.parse(day.body['limit'].resets_at) > Date.now())
  assert.equal((await pay(39)).status, 201)
  assert.equal((await pay(1)).status, 201)
  const often = await pay(1)
  assert.deepEqual([often.body['limit'].measure, often.body['limit'].used], ['count', 3])
})

test('the month has a limit of its own, and a new day begins anew', async () => {
  const { from, other, actor } = await givenApp({ per_day: 50n, per_month: 80n })
  const pay = (amount: number) =>
    world.transfer(actor, { from_account_id: from, to_account_id: other, amount })
  world.time.shift = Date.UTC(2027, 0, 10, 12) - Date.now()
  try {
    assert.equal((await pay(50)).status, 201)
    assert.equal((await pay(1)).body['limit'].period, 'day')
    world.time.shift += 24 * 3_600_000
    const month = await pay(31)
    assert.deepEqual([month.body['limit'].period, month.body['limit'].used], ['month', 50])
    assert.equal(month.body['limit'].resets_at, '2027-01-31T23:00:00.000Z') // midnight in Berlin
    assert.equal((await pay(30)).status, 201)
  } finally {
    world.time.shift = 0
  }
})

test('a key repeated gives the first answer; another customer’s the same key is theirs', async () => {
  const { from, other, actor } = await givenApp()
  const body = { from_account_id: from, to_account_id: other, amount: 7 }
  const first = await world.transfer(actor, body, { key: 'once' })
  const again = await world.transfer(actor, body, { key: 'once' })
  assert.equal(again.text, first.text)
  assert.equal(again.headers['idempotent-replayed'], 'true')
  const { bert } = world.home
  const berts = await world.givenConsent(bert, bert.accounts)
  const stolen = await world.transfer(berts.actor, body, { key: 'once' })
  assert.deepEqual([stolen.status, stolen.body['code']], [404, 'bank_account_not_found'])
  assert.equal((await world.balanceOf(from))['booked'], OPENING - 7)
})

test('a key repeated after the consent is gone shows nothing', async () => {
  const { from, other, actor, row } = await givenApp()
  const body = { from_account_id: from, to_account_id: other, amount: 7 }
  assert.equal((await world.transfer(actor, body, { key: 'gone' })).status, 201)
  await world.asOwner(`update banking.consents set state = 'revoked' where id = $1`, [row.id])
  const again = await world.transfer(actor, body, { key: 'gone' })
  assert.deepEqual([again.status, again.body['code']], [403, 'consent_required'])
  await world.asOwner(
    `update banking.consents set state = 'authorised', account_ids = '{}' where id = $1`,
    [row.id],
  )
  assert.equal((await world.transfer(actor, body, { key: 'gone' })).status, 404)
})

test('a payment that was approved field by field is made once, and no other is', async () => {
  const { anna } = world.home
  const [from, to] = [await world.givenAccount(anna), await world.givenAccount(anna)]
  const payment = {
    from_account_id: knownId(from),
    to_account_id: knownId(to),
    amount: '50',
    currency: 'EUR',
    reference: 'Rent',
  }
  const { actor } = await world.givenConsent(anna, [from], { client_profile: 'fapi2', payment })
  const right = { from_account_id: from, to_account_id: to, amount: 50, reference: 'Rent' }
  const { reference: _, ...unsaid } = right
  for (const wrong of [
    { ...right, amount: 51 },
    { ...right, to_account_id: world.home.bert.accounts[0] },
    { ...right, reference: 'Rent!' },
    { ...right, currency: 'USD' },
    unsaid,
  ]) {
    const heard = await world.transfer(actor, wrong)
    assert.deepEqual([heard.status, heard.body['code']], [403, 'consent_required'])
  }
  const made = await Promise.all(
    Array.from({ length: 5 }, (_unused, index) =>
      world.transfer(actor, right, { key: `k${index}` }),
    ),
  )
  assert.deepEqual(made.map(({ status }) => `${status}`).toSorted(), [
    '201',
    '403',
    '403',
    '403',
    '403',
  ])
  const done = made.findIndex(({ status }) => status === 201)
  const again = await world.transfer(actor, right, { key: `k${done}` })
  assert.equal(again.text, made[done]?.text)
})

test('a fapi2 app transfers under no other consent', async () => {
  const { from, other, actor } = await givenApp({ client_profile: 'fapi2' })
  const made = await world.transfer(actor, {
    from_account_id: from,
    to_account_id: other,
    amount: 1,
  })
  assert.deepEqual([made.status, made.body['code']], [403, 'consent_required'])
})
