import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Answer } from '../../platform/answer.ts'
import { type Batcher, createBatcher } from '../../platform/batch/batch.ts'
import type { Command } from '../../platform/command.ts'
import { type Pools, openPools } from '../../platform/db/pools.ts'
import { newId } from '../../platform/ids.ts'
import { chanceOf } from '../../../test/support/chance.ts'
import { type LedgerWorld, startLedgerWorld } from '../../../test/support/ledger-world.ts'
import { checkLedger } from './check-ledger.ts'
import { createAccounts } from './create-accounts.ts'
import { openHolds } from './open-holds.ts'
import { postHolds } from './post-holds.ts'
import { postTransactions } from './post-transactions.ts'
import { reverseTransactions } from './reverse-transactions.ts'
import { voidHolds } from './void-holds.ts'

/**
 * Four writers, each a batcher on a pool of its own as in four processes, on 200 accounts of which
 * three are hot. Keys, reversals and holds are raced on purpose; a reader watches the sums meanwhile.
 */
const WRITERS = 4
const ACCOUNTS = 200
const HOT = 3
const ROUNDS = 12
const PER_ROUND = 40
const chance = chanceOf()

let world: LedgerWorld
let pools: Pools[] = []
let writers: Batcher[] = []
const accounts: string[] = []

before(async () => {
  world = await startLedgerWorld()
  pools = Array.from({ length: WRITERS }, () =>
    openPools(world.database.connection, () => undefined),
  )
  writers = pools.map(({ money }) => createBatcher(money))
  const made = Array.from({ length: ACCOUNTS }, (_, index) => ({
    accountId: newId(new Date()),
    name: `Account ${index}`,
    line: { role: index === 0 ? 'bank' : 'customer_funds' },
    currency: 'EUR',
    minAvailable: index === 0 ? null : 0n,
    maxBalance: null,
    externalId: null,
    metadata: {},
  }))
  await world.run(createAccounts, ...made)
  accounts.push(...made.map(({ accountId }) => accountId))
  for (const accountId of accounts.slice(1))
    assert.ok((await settle(funding(accountId))).status < 300)
})
after(async () => {
  await Promise.all(writers.map((writer) => writer.drain()))
  await Promise.all(pools.map((one) => one.close()))
  await world?.close()
})

interface Job {
  readonly command: Command<never, unknown, unknown>
  readonly input: object
  readonly key: string
}

let keys = 0
function job<Input extends object, Value, Held>(
  command: Command<Input, Value, Held>,
  input: Input,
): Job {
  keys += 1
  return { command: command as never, input, key: `job-${keys}` }
}

function move(from: string, to: string, amount: bigint): Job {
  return job(postTransactions, {
    transactionId: newId(new Date()),
    type: 'book_transfer',
    legs: [
      { accountId: from, currency: 'EUR', amount },
      { accountId: to, currency: 'EUR', amount: -amount },
    ],
  })
}

const funding = (accountId: string) => move(accounts[0] as string, accountId, 1_000n)

function settle({ command, input, key }: Job, writer = chance.pick(writers)): Promise<Answer> {
  return writer.submit(command, world.asked(input) as never, {
    idempotency: {
      principal: 'cli_test',
      key,
      fingerprint: Buffer.from(key).toString('hex'),
      objectId: null,
    },
    answer: (outcome) => ({
      status: outcome.ok ? 201 : outcome.refusal.status,
      body: outcome.ok ? '{}' : outcome.refusal.code,
    }),
  })
}

function anyAccount(): string {
  return chance.oneIn(2) ? (accounts[chance.below(HOT)] as string) : chance.pick(accounts)
}

/** A transfer, a tenth of them far beyond what anybody has. */
function randomMove(): Job {
  const from = anyAccount()
  const to = chance.pick(accounts.filter((account) => account !== from))
  return move(from, to, chance.oneIn(10) ? 10_000_000n : BigInt(1 + chance.below(50)))
}

test(
  'four writers race over hot accounts, keys, holds and reversals, and the books stay sound',
  { timeout: 110_000 },
  async (t) => {
    t.diagnostic(`seed ${chance.seed}`)
    const watch = watchSums()
    let accepted = ACCOUNTS - 1 // the funding
    const booked: string[] = []
    const held: string[] = []
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const moves = Array.from({ length: PER_ROUND }, randomMove)
        const holds = Array.from({ length: 8 }, () =>
          job(openHolds, {
            holdId: newId(new Date()),
            debitAccountId: anyAccountBut(0),
            creditAccountId: accounts[0] as string,
            currency: 'EUR',
            amount: BigInt(1 + chance.below(20)),
          }),
        )
        // A fifth of the requests is sent twice, to two writers, under one key.
        const twice = moves.filter(() => chance.oneIn(5))
        const races = [...raceReversals(booked), ...raceHolds(held)]
        const [answers, repeated, opened] = await Promise.all([
          Promise.all(moves.map((one) => settle(one))),
          Promise.all(twice.map((one) => settle(one))),
          Promise.all(holds.map((one) => settle(one))),
          ...races,
        ])
        for (const [index, one] of twice.entries()) {
          const first = answers[moves.indexOf(one)]
          const again = repeated[index]
          if (again?.body !== 'idempotency_in_flight') assert.equal(again?.body, first?.body)
        }
        const made = idsOf(moves, answers, 'transactionId')
        accepted += made.length
        booked.push(...made)
        held.push(...idsOf(holds, opened, 'holdId'))
      }
    } finally {
      watch.end()
    }
    const reads = await watch.reads
    t.diagnostic(`${reads} sums read meanwhile, all zero`)
    assert.ok(reads > 5)
    const { violations, seen } = await checkLedger(world.database.pools.report)
    assert.deepEqual(violations, [], `seed ${chance.seed}`)
    assert.ok(
      seen.transactions > BigInt(ROUNDS * PER_ROUND) / 2n,
      `${seen.transactions} transactions`,
    )
    const [row] = await world.query<{ transfers: bigint }>(
      `select count(*) as transfers from ledger.transactions where type = 'book_transfer'`,
    )
    assert.equal(
      Number(row?.transfers),
      accepted,
      'what was answered 201 is booked, and booked once',
    )
    await assertNamesOnce()
  },
)

function anyAccountBut(index: number): string {
  return chance.pick(accounts.filter((account) => account !== accounts[index]))
}

function idsOf(jobs: readonly Job[], answers: readonly Answer[], name: string): string[] {
  return jobs.flatMap(({ input }, index) =>
    answers[index]?.status === 201 ? [(input as Record<string, string>)[name] as string] : [],
  )
}

/** Two writers reverse the same transaction under two keys: one is booked, the other refused. */
function raceReversals(booked: string[]): Promise<void>[] {
  return booked.splice(0, 6).map(async (reverses) => {
    const twins = [0, 1].map(() =>
      job(reverseTransactions, { transactionId: newId(new Date()), reverses }),
    )
    const answers = await Promise.all(twins.map((twin) => settle(twin)))
    const won = answers.filter(({ status }) => status === 201)
    const codes = answers.map(({ body }) => body)
    // The money may be gone meanwhile; then both are refused.
    const poor = codes.filter((code) => code === 'insufficient_funds').length
    assert.ok(won.length === 1 || poor === 2, `${codes.join(', ')}, seed ${chance.seed}`)
  })
}

/** One writer posts a hold while another gives it up: exactly one of them wins. */
function raceHolds(held: string[]): Promise<void>[] {
  return held.splice(0, 5).map(async (holdId) => {
    const posting = { holdId, transactionId: newId(new Date()), type: 'settled' }
    const rivals = [job(postHolds, posting), job(voidHolds, { holdId })]
    const answers = await Promise.all(rivals.map((rival) => settle(rival)))
    assert.deepEqual(
      answers.map(({ body }) => body).toSorted(),
      ['hold_not_pending', '{}'],
      `seed ${chance.seed}`,
    )
  })
}

/** The bank test: whoever looks at all accounts at one moment sees a sum of zero, also by entries. */
function watchSums() {
  let stopped = false
  let reads = 0
  const run = async () => {
    const client = await world.database.pools.report.connect()
    try {
      while (!stopped) {
        await client.query('begin isolation level repeatable read read only')
        const { rows } = await client.query<{ balances: bigint; entries: bigint }>(
          `select sum(debits_posted - credits_posted)::bigint as balances,
                  (select sum(amount)::bigint from ledger.entries) as entries
           from ledger.balances`,
        )
        await client.query('commit')
        assert.deepEqual(rows, [{ balances: 0n, entries: 0n }])
        reads += 1
      }
      return reads
    } finally {
      client.release()
    }
  }
  const running = run()
  running.catch(() => undefined)
  return {
    end: () => {
      stopped = true
    },
    /** How often it looked; rejects if a sum was not zero. */
    reads: running,
  }
}

async function assertNamesOnce(): Promise<void> {
  const doubled = await world.query(
    `select transaction_id from ledger.transactions where reverses_transaction_id is not null
     group by 1 having count(*) > 1`,
  )
  assert.deepEqual(doubled, [])
  const [row] = await world.query<{ keys: bigint; answers: bigint }>(
    `select (select count(*) from platform.idempotency_keys) as keys,
            (select count(*) from platform.idempotency_responses) as answers`,
  )
  assert.equal(row?.keys, row?.answers)
}
