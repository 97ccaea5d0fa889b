import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseOver } from '../../platform/db/dialect.ts'
import { startDue } from '../../platform/due/due.ts'
import { knownId, newId } from '../../platform/ids.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { expireHolds } from './expire-holds.ts'
import { holdQueue } from './hold.due.ts'
import { openHolds } from './open-holds.ts'

let world: LedgerWorld
before(async () => {
  world = await startLedgerWorld()
})
after(() => world?.close())

async function givenHolds(tenantId: string, count: number, expiresAt?: Date) {
  const [bank, account] = [
    await world.givenAccount({ tenantId, role: 'bank' }),
    await world.givenAccount({ tenantId }),
  ]
  const holds = Array.from({ length: count }, () => ({
    holdId: newId(new Date()),
    debitAccountId: knownId(account),
    creditAccountId: knownId(bank),
    currency: 'EUR',
    amount: 10n,
    ...(expiresAt !== undefined && { expiresAt }),
  }))
  const outcomes = await world.run(
    openHolds,
    ...holds.map((hold) => world.asked(hold, { tenantId })),
  )
  assert.ok(outcomes.every(({ ok }) => ok))
  return holds.map(({ holdId }) => holdId)
}

async function statuses(holdIds: readonly string[]): Promise<string[]> {
  const rows = await world.query<{ status: string }>(
    'select distinct status from ledger.holds where hold_id = any($1)',
    [holdIds],
  )
  return rows.map(({ status }) => status).toSorted()
}

test('a hold expires once its time is over, and not before', async () => {
  const { tenantId } = world
  const soon = new Date(Date.now() + 60_000)
  const [holdId = ''] = await givenHolds(tenantId, 1, soon)
  const [endless = ''] = await givenHolds(tenantId, 1)
  const early = await world.run(expireHolds, { holdId }, { holdId: endless })
  assert.deepEqual(verdicts(early), ['hold_not_expired', 'hold_not_expired'])
  const late = { at: new Date(soon.getTime()) }
  const foreign = { ...late, tenantId: await world.givenTenant() }
  const outcomes = await world.run(
    expireHolds,
    world.asked({ holdId }, foreign),
    world.asked({ holdId }, late),
    world.asked({ holdId }, late),
  )
  assert.deepEqual(verdicts(outcomes), ['hold_not_found', 'ok', 'hold_not_pending'])
  assert.deepEqual(await statuses([holdId, endless]), ['expired', 'pending'])
})

test('the sweep finds what has run out in every tenant, and only that', async () => {
  const now = new Date(Date.now() + 3_600_000)
  const soon = new Date(Date.now() + 1_800_000)
  const later = new Date(Date.now() + 7_200_000)
  const tenants = [await world.givenTenant(), await world.givenTenant(), await world.givenTenant()]
  const due = await Promise.all(
    tenants.slice(0, 2).map((tenantId) => givenHolds(tenantId, 30, soon)),
  )
  const kept = await Promise.all(tenants.map((tenantId) => givenHolds(tenantId, 1, later)))
  const faults: unknown[] = []
  const clock = { now: () => now }
  const queue = holdQueue({ batcher: world.batcher, clock })
  const runner = startDue(databaseOver(world.database.pools.due), queue, {
    clock,
    onError: (error) => faults.push(error),
  })
  try {
    const deadline = Date.now() + 10_000
    while ((await statuses(due.flat())).includes('pending') && Date.now() < deadline)
      await sleep(20)
  } finally {
    await runner.stop()
  }
  assert.deepEqual(faults, [])
  assert.deepEqual(await statuses(due.flat()), ['expired'])
  assert.deepEqual(await statuses(kept.flat()), ['pending'])
})
