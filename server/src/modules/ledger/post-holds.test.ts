import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { increaseHolds } from './increase-holds.ts'
import { openHolds } from './open-holds.ts'
import { type HoldPosting, postHolds } from './post-holds.ts'
import { voidHolds } from './void-holds.ts'

let world: LedgerWorld
let bank: string
before(async () => {
  world = await startLedgerWorld()
  bank = await world.givenAccount({ role: 'bank' })
})
after(() => world?.close())

const EXPIRY_MS = 60_000

/** The uuid of a pending hold over a customer's last 100. */
async function givenHold(expires = false): Promise<string> {
  const account = await world.givenAccount({ min_available: 0 })
  await world.givenFunds(account, 100)
  const holdId = newId(new Date())
  const outcomes = await world.run(openHolds, {
    holdId,
    debitAccountId: knownId(account),
    creditAccountId: knownId(bank),
    currency: 'EUR',
    amount: 100n,
    ...(expires && { expiresAt: new Date(Date.now() + EXPIRY_MS) }),
  })
  assert.deepEqual(verdicts(outcomes), ['ok'])
  return holdId
}

function posting(holdId: string, changes: Partial<HoldPosting> = {}): HoldPosting {
  return { holdId, transactionId: newId(new Date()), type: 'card_settled', ...changes }
}

async function stored(holdId: string) {
  const [row] = await world.query<Record<string, unknown>>(
    `select status, posted_amount, released_amount, version from ledger.holds where hold_id = $1`,
    [holdId],
  )
  return row
}

test('postings of one hold in one batch are judged one after another', async () => {
  const [holdId, other] = [await givenHold(), await givenHold()]
  const outcomes = await world.run(
    postHolds,
    posting(holdId, { amount: 60n, final: false }),
    posting(holdId, { amount: 60n, final: false }),
    posting(other),
    posting(holdId, { amount: 40n, final: false }),
    posting(holdId, { amount: 1n }),
    posting('00000000-0000-7000-8000-000000000000'),
  )
  assert.deepEqual(verdicts(outcomes), [
    'ok',
    'hold_amount_exceeded',
    'ok',
    'ok',
    'hold_not_pending',
    'hold_not_found',
  ])
  assert.deepEqual(await stored(holdId), {
    status: 'posted',
    posted_amount: 100n,
    released_amount: 0n,
    version: 3,
  })
})

test('after its time a hold is neither posted nor raised, even if nobody swept it yet', async () => {
  const holdId = await givenHold(true)
  const late = { at: new Date(Date.now() + EXPIRY_MS + 1) }
  const posted = await world.run(postHolds, world.asked(posting(holdId), late))
  const raised = await world.run(increaseHolds, world.asked({ holdId, amount: 1n }, late))
  assert.deepEqual([...verdicts(posted), ...verdicts(raised)], ['hold_expired', 'hold_expired'])
  assert.equal((await stored(holdId))?.['status'], 'pending')
})

test('posting and voiding that race over many holds: exactly one wins each', async () => {
  const holds = await Promise.all(Array.from({ length: 12 }, () => givenHold()))
  const [posted, voided, again] = await Promise.all([
    world.run(postHolds, ...holds.map((holdId) => posting(holdId))),
    world.run(voidHolds, ...holds.toReversed().map((holdId) => ({ holdId }))),
    world.run(postHolds, ...holds.map((holdId) => posting(holdId))),
  ])
  for (const [index, holdId] of holds.entries()) {
    const won = [posted[index], voided[holds.length - 1 - index], again[index]].filter(
      (outcome) => outcome?.ok === true,
    )
    assert.equal(won.length, 1, holdId)
  }
})

test('a hold of another tenant is not found', async () => {
  const holdId = await givenHold()
  const foreign = world.asked(posting(holdId), { tenantId: await world.givenTenant() })
  assert.deepEqual(verdicts(await world.run(postHolds, foreign)), ['hold_not_found'])
})

test('a posting into a closed period is refused and leaves the hold pending', async () => {
  const holdId = await givenHold()
  const refused = await world.run(postHolds, posting(holdId, { effectiveOn: '1969-12-31' }))
  assert.deepEqual(verdicts(refused), ['period_closed'])
  assert.equal((await stored(holdId))?.['status'], 'pending')
})
