import { firstIdAt, knownId } from '../../platform/ids.ts'

/** How instants, ids and sides of the ledger look in public, and back. */

/** Microseconds since 1970 as RFC 3339 in UTC: entries of one account never share one by accident. */
export function instantOf(micros: bigint): string {
  const millis = micros / 1_000n
  const rest = micros % 1_000n
  const text = new Date(Number(millis)).toISOString()
  return `${text.slice(0, -1)}${rest.toString().padStart(3, '0')}Z`
}

/** Debit > 0, credit < 0 in the ledger; a direction and a positive amount in public. */
export function directionOf(amount: bigint): 'debit' | 'credit' {
  return amount > 0n ? 'debit' : 'credit'
}

export function signedAmount(direction: 'debit' | 'credit', amount: number): bigint {
  return direction === 'debit' ? BigInt(amount) : -BigInt(amount)
}

/** Debits less credits, seen from the account's normal side. */
export function fromNormalSide(net: bigint, normalSide: 'debit' | 'credit'): bigint {
  return normalSide === 'debit' ? net : -net
}

/** The uuid of a correlation, whichever way it is written. The schema has checked the form. */
export function correlationOf(text: string): string {
  return text.includes('_') ? knownId(text) : text
}

type Range = Readonly<Partial<Record<`created[${'gte' | 'gt' | 'lte' | 'lt'}]`, string>>>

/** Creation times as bounds of the ids, which begin with their time. `from <= id < until`. */
export function idRange(range: Range): { from?: string; until?: string } {
  const bound = (text: string, after: number) => firstIdAt(new Date(Date.parse(text) + after))
  const lower = [
    ...(range['created[gte]'] === undefined ? [] : [bound(range['created[gte]'], 0)]),
    ...(range['created[gt]'] === undefined ? [] : [bound(range['created[gt]'], 1)]),
  ].toSorted()
  const upper = [
    ...(range['created[lt]'] === undefined ? [] : [bound(range['created[lt]'], 0)]),
    ...(range['created[lte]'] === undefined ? [] : [bound(range['created[lte]'], 1)]),
  ].toSorted()
  const from = lower.at(-1)
  const until = upper[0]
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }
}
