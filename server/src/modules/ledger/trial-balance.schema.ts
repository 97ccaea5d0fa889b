import { type Static, Type } from 'typebox'
import { type Outcome, accept } from '../../platform/errors.ts'
import { Nullable, Text, closed } from '../../platform/fields.ts'
import { CurrencyCode, SignedAmount, TotalAmount, toJsonAmount } from '../../platform/money.ts'
import { MAX_BALANCE } from './balance.ts'
import { Basis, asOfParameters } from './balance.schema.ts'
import { refuse } from './ledger.errors.ts'
import { Count, Day, Instant } from './ledger.schema.ts'
import type { TrialBalanceRow } from './trial-balance.queries.ts'

export const TrialBalanceQuery = Type.Object(asOfParameters, closed)

const Line = Type.Object({
  chart_code: Text,
  role: Text,
  name: Text,
  type: Text,
  normal_side: Type.Union([Type.Literal('debit'), Type.Literal('credit')]),
  clearing: Type.Boolean(),
  currency: CurrencyCode,
  accounts: Count,
  debit: TotalAmount,
  credit: TotalAmount,
})
const Total = Type.Object({
  currency: CurrencyCode,
  debit: TotalAmount,
  credit: TotalAmount,
  difference: Type.Integer({ ...SignedAmount, description: 'Debit less credit. Always 0.' }),
})

export const TrialBalance = Type.Object(
  {
    object: Type.Literal('trial_balance'),
    basis: Basis,
    as_of: Nullable(Type.Union([Instant, Day])),
    lines: Type.Array(Line, {
      maxItems: 100_000,
      description: 'A line of the chart per currency; its net stands on one side.',
    }),
    totals: Type.Array(Total, { maxItems: 500 }),
  },
  { title: 'TrialBalance' },
)
export type TrialBalance = Static<typeof TrialBalance>

/** Refused when a sum leaves what JSON carries; never rounded. */
export function toTrialBalance(
  rows: readonly TrialBalanceRow[],
  { basis, asOf }: { basis: TrialBalance['basis']; asOf: string | null },
): Outcome<TrialBalance> {
  const nets = rows.map((row) => sides(BigInt(row.net)))
  const currencies = [...new Set(rows.map(({ currency }) => currency))].toSorted()
  const totals = currencies.map((currency) => {
    const own = nets.filter((_, index) => rows[index]?.currency === currency)
    const debit = own.reduce((sum, side) => sum + side.debit, 0n)
    const credit = own.reduce((sum, side) => sum + side.credit, 0n)
    return { currency, debit, credit }
  })
  if (totals.some(({ debit, credit }) => debit > MAX_BALANCE || credit > MAX_BALANCE)) {
    return refuse('total_out_of_range')
  }
  return accept({
    object: 'trial_balance',
    basis,
    as_of: asOf,
    lines: rows.map((row, index) => toLine(row, nets[index] as Sides)),
    totals: totals.map(({ currency, debit, credit }) => ({
      currency,
      debit: toJsonAmount(debit),
      credit: toJsonAmount(credit),
      difference: toJsonAmount(debit - credit),
    })),
  })
}

interface Sides {
  readonly debit: bigint
  readonly credit: bigint
}

function sides(net: bigint): Sides {
  return net >= 0n ? { debit: net, credit: 0n } : { debit: 0n, credit: -net }
}

function toLine(row: TrialBalanceRow, { debit, credit }: Sides): Static<typeof Line> {
  return {
    chart_code: row.code,
    role: row.role,
    name: row.name,
    type: row.type,
    normal_side: row.normal_side,
    clearing: row.clearing,
    currency: row.currency,
    accounts: Number(row.accounts),
    debit: toJsonAmount(debit),
    credit: toJsonAmount(credit),
  }
}
