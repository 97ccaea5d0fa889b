import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { type BankingWorld, startBankingWorld } from '../support/banking-world.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { databaseOver } from '../../src/platform/db/dialect.ts'
import { upsertArtifact } from '../../src/modules/identity/artifact.queries.ts'
import { endGrant } from '../../src/modules/identity/end-grant.ts'
import { consentSlot } from '../../src/modules/banking/consent-slot.ts'

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const ROUNDS = 20

/** A consent with its grant and some refresh tokens, as after an hour of use. */
async function givenGrant() {
  const { anna } = world.home
  const { row, actor, id } = await world.givenConsent(anna, [])
  const grantId = row.grant_id as string
  const payload = { sealed: '' }
  const own = { uidHash: null, payload, clientId: null, subjectHash: null, expiresAt: null }
  const db = databaseOver(world.pools.money)
  await upsertArtifact(db, { ...own, model: 'Grant', idHash: digest(grantId), grantId: null })
  for (let at = 0; at < 20; at += 1) {
    const idHash = digest(`${grantId} ${at}`)
    await upsertArtifact(db, { ...own, model: 'RefreshToken', idHash, grantId })
  }
  await world.asOwner(`update identity.artifacts set tenant_id = $1 where id_hash = $2`, [
    row.tenant_id,
    digest(grantId),
  ])
  return { grantId, actor, id, row }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

async function deadlocks(): Promise<number> {
  await sleep(1_200) // a backend reports what it counted once a second
  const rows = await world.asOwner<{ deadlocks: string }>(
    `select deadlocks from pg_stat_database where datname = current_database()`,
  )
  return Number(rows[0]?.deadlocks)
}

test('a grant that ends from both sides at once ends once, and neither side waits for the other in vain', async () => {
  const { pools } = world
  const slot = consentSlot({ pool: pools.money, db: databaseOver(pools.read), clock: systemClock })
  const before = await deadlocks()
  let revokedBy = { app: 0, server: 0 }
  for (let round = 0; round < ROUNDS; round += 1) {
    const { grantId, actor, id, row } = await givenGrant()
    const [, answer] = await Promise.all([
      endGrant({ pool: pools.money, clock: systemClock, consents: slot }, grantId),
      world.call(actor, 'DELETE', `/api/consents/${id}`),
    ])
    assert.equal(answer.status, 204)
    const events = await world.asOwner(`select 1 from platform.events where object_id = $1`, [
      row.id,
    ])
    assert.equal(events.length, 1, 'it was revoked once')
    const left = await world.asOwner(
      `select 1 from identity.artifacts where grant_id = $1 or id_hash = $2`,
      [grantId, digest(grantId)],
    )
    assert.deepEqual(left, [])
    const seen = await world.call('cli_bank', 'GET', `/api/consents/${id}`)
    const by = seen.body['revoked_by'] === 'sys:authorization_server' ? 'server' : 'app'
    revokedBy = { ...revokedBy, [by]: revokedBy[by] + 1 }
  }
  assert.equal((await deadlocks()) - before, 0)
  assert.equal(revokedBy.app + revokedBy.server, ROUNDS)
})
