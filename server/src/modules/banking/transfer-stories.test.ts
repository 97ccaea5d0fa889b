import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type BankingWorld, startBankingWorld } from '../../../test/support/banking-world.ts'
import { knownId } from '../../platform/ids.ts'
import { checkLedger } from '../ledger/index.ts'

/**
 * Random stories of one customer with three accounts and two apps, told all at once: money neither
 * appears nor disappears, what an account holds is what was booked, and limits count what was made.
 */
const RUNS = 12

const FUNDS = 1_000
const DAY_LIMIT = 900n
const MOST_A_DAY = 8

let world: BankingWorld
before(async () => {
  world = await startBankingWorld()
})
after(() => world.close())

const step = fc.record({
  app: fc.nat({ max: 1 }),
  from: fc.nat({ max: 2 }),
  to: fc.nat({ max: 3 }), // 3: to another bank
  amount: fc.integer({ min: 1, max: 700 }),
  cancels: fc.boolean(),
})

test('whatever is asked at once, sums, balances and limits agree afterwards', async () => {
  const { anna } = world.home
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const accounts = await Promise.all(
        [0, 1, 2].map(() => world.givenAccount(anna, { funds: FUNDS })),
      )
      const limits = { per_day: DAY_LIMIT, count_per_day: MOST_A_DAY }
      const apps = [
        await world.givenConsent(anna, accounts, limits),
        await world.givenConsent(anna, accounts.slice(0, 2)),
      ]
      const payee = { name: 'Landlord', iban: 'DE89370400440532013000', currency: 'EUR' }
      const saved = await world.call(apps[0]?.actor ?? '', 'POST', '/api/beneficiaries', {
        body: payee,
      })
      const statuses = await Promise.all(
        steps.map(async ({ app, from, to, amount, cancels }) => {
          const { actor } = apps[app] as { actor: string }
          const target =
            to === 3 ? { beneficiary_id: saved.body['id'] } : { to_account_id: accounts[to] }
          const way = { from_account_id: accounts[from], ...target, amount }
          const made = await world.transfer(actor, way)
          if (made.status === 202 && cancels) {
            const path = `/api/transfer/${made.body['id']}/cancel`
            assert.equal((await world.call(actor, 'POST', path)).status, 200)
          }
          return made.status
        }),
      )
      assert.ok(statuses.every((status) => [201, 202, 404, 422].includes(status)))

      const balances = await Promise.all(accounts.map((account) => world.balanceOf(account)))
      const sum = (of: string) => balances.reduce((total, one) => total + Number(one[of]), 0)
      assert.equal(sum('booked'), 3 * FUNDS)
      assert.ok(balances.every((one) => one['available'] >= 0))

      const rows = await world.asOwner<{ held: number; used: bigint; count: number }>(
        `select coalesce(sum(amount) filter (where state = 'pending'), 0)::int as held,
                coalesce(sum(amount) filter (where consent_id = $2 and state <> 'cancelled'), 0)::int as used,
                (count(*) filter (where consent_id = $2 and state <> 'cancelled'))::int as count
           from banking.transfers where from_account_id = any($1::uuid[])`,
        [accounts.map(knownId), apps[0]?.row.id],
      )
      const [made] = rows
      assert.equal(sum('pending_out'), made?.held)
      const counters = await world.asOwner<{ period: string; amount: number; count: number }>(
        `select period, sum(used_amount)::int as amount, sum(used_count)::int as count
           from banking.limit_counters where consent_id = $1 group by period`,
        [apps[0]?.row.id],
      )
      for (const { amount, count } of counters) {
        assert.deepEqual([amount, count], [made?.used, made?.count])
        assert.ok(amount <= DAY_LIMIT && count <= MOST_A_DAY)
      }
    }),
    { numRuns: RUNS },
  )
  const verdict = await checkLedger(world.pools.report, { tenantId: world.home.id })
  assert.deepEqual(verdict.violations, [])
})
