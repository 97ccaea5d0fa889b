import type { Pick } from './load.ts'

/**
 * What is measured. A unit is a payment, a transfer within a bulk request, a TPC-B transaction, an
 * access token issued, or one let in.
 */
export type Case = { readonly name: string; readonly connections: number } & (
  | { readonly kind: 'book'; readonly pick: Pick; readonly rate?: RateShare }
  | { readonly kind: 'bulk'; readonly pick: Pick; readonly items: number }
  | { readonly kind: 'card' }
  | { readonly kind: 'naive'; readonly pick: Pick }
  | { readonly kind: 'pgbench' }
  | { readonly kind: 'token' }
  | { readonly kind: 'guard'; readonly cached: boolean }
)

/** An open loop at a share of what `of` reached in the same round. */
export interface RateShare {
  readonly of: string
  readonly share: number
}

const SPREAD = 'spread'
const HOT = 'hot'

// oxfmt-ignore
export const cases: readonly Case[] = [
  { name: 'book-32',       kind: 'book', connections: 32,  pick: SPREAD },
  { name: 'book-64',       kind: 'book', connections: 64,  pick: SPREAD },
  { name: 'book-256',      kind: 'book', connections: 256, pick: SPREAD },
  { name: 'naive',         kind: 'naive', connections: 16, pick: SPREAD },
  { name: 'book-64-hot',   kind: 'book', connections: 64,  pick: HOT },
  { name: 'book-256-hot',  kind: 'book', connections: 256, pick: HOT },
  { name: 'naive-hot',     kind: 'naive', connections: 16, pick: HOT },
  { name: 'pgbench',       kind: 'pgbench', connections: 16 },
  { name: 'bulk-100',      kind: 'bulk', connections: 16,  pick: SPREAD, items: 100 },
  { name: 'bulk-500',      kind: 'bulk', connections: 8,   pick: SPREAD, items: 500 },
  { name: 'card-64',       kind: 'card', connections: 64 },
  { name: 'token-64',      kind: 'token', connections: 64 },
  { name: 'guard-cached',  kind: 'guard', connections: 1, cached: true },
  { name: 'guard-uncached', kind: 'guard', connections: 1, cached: false },
  { name: 'book-open-50',  kind: 'book', connections: 256, pick: SPREAD, rate: { of: 'book-64', share: 0.5 } },
  { name: 'book-open-80',  kind: 'book', connections: 256, pick: SPREAD, rate: { of: 'book-64', share: 0.8 } },
]

/** Left out of the quick profile: they cost time and move no bar. */
export const fullOnly: ReadonlySet<string> = new Set(['book-256-hot', 'bulk-500', 'book-open-80'])
