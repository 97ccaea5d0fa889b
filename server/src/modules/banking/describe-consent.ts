import type { ConsentAsk, ConsentPage } from '../identity/index.ts'
import { findAccount } from '../ledger/index.ts'
import type { Db } from '../../platform/db/types.ts'
import { publicId } from '../../platform/ids.ts'
import { decimalOf } from '../../platform/money.ts'
import { permissions as sentences } from './consent.permissions.ts'
import { findConsent } from './consent.queries.ts'
import { type AskedPayment, type Limits, preparedId, termsOf } from './consent-terms.ts'
import { findAccountFacts } from './holder.queries.ts'
import { labelOf, offeredAccounts } from './offered-accounts.ts'
import { CUSTOMER_FUNDS } from './view.ts'

/** What the consent page says: which accounts, what may be done with them, how much, until when. */
export async function describeConsent(db: Db, ask: ConsentAsk, now: Date): Promise<ConsentPage> {
  const judged = termsOf(ask, await findPrepared(db, ask, now), now)
  if (!judged.ok) {
    return { accounts: [], permissions: [judged.message], limits: [], validUntil: now }
  }
  const { terms } = judged
  const offered = await offeredAccounts(db, { ...ask.user, tenantId: ask.tenantId }, terms)
  const page = {
    accounts: offered.map(({ row, label, selected }) => ({
      id: publicId('acc', row.account_id),
      label,
      selected,
    })),
    permissions: terms.payment === null ? terms.permissions.map((one) => sentences[one]) : [],
    limits:
      terms.payment === null
        ? limitLines(
            terms.limits,
            offered.map(({ row }) => row.currency),
          )
        : ['This payment, once.'],
    validUntil: terms.validUntil,
  }
  if (terms.payment === null) return page
  return { ...page, payment: await paymentWords(db, ask.tenantId, terms.payment) }
}

/** The consent that the app asked for before, if it is this app's and nobody has answered it. */
export async function findPrepared(db: Db, ask: ConsentAsk, now: Date) {
  const id = preparedId(ask)
  const row = id === undefined ? undefined : await findConsent(db, ask.tenantId, id)
  const fits =
    row?.client_id === ask.client.clientId &&
    row.state === 'awaiting_authorisation' &&
    row.valid_until > now
  return fits ? row : undefined
}

/** Limits in words, for each of these currencies. */
export function limitLines(limits: Limits, currencies: readonly string[]): string[] {
  const each = [...new Set(currencies)].toSorted()
  return each.flatMap((currency) => linesOf(limits, currency))
}

function linesOf({ maxAmount, perDay, perMonth, countPerDay }: Limits, currency: string): string[] {
  const sum = (minor: bigint) => `${decimalOf(minor, currency)} ${currency}`
  return [
    ...(maxAmount === null ? [] : [`At most ${sum(maxAmount)} in one transfer.`]),
    ...(perDay === null ? [] : [`At most ${sum(perDay)} in a day.`]),
    ...(perMonth === null ? [] : [`At most ${sum(perMonth)} in a month.`]),
    ...(countPerDay === null ? [] : [`At most ${countPerDay} transfers in ${currency} in a day.`]),
  ]
}

/** What a payment does, with the payee's name as this bank knows it. */
export async function paymentWords(
  db: Db,
  tenantId: string,
  { toAccountId, amount, currency, reference }: Omit<AskedPayment, 'fromAccountId'>,
): Promise<string> {
  const row = await findAccount(db, tenantId, toAccountId)
  const facts = await findAccountFacts(db, tenantId, [toAccountId])
  const payee =
    row === undefined || row.role !== CUSTOMER_FUNDS
      ? 'an account that this bank does not know'
      : `${row.name} (${labelOf(row, facts.get(toAccountId))})`
  const words = `Pay ${decimalOf(amount, currency)} ${currency} to ${payee}`
  return reference === null ? `${words}.` : `${words}, reference “${reference}”.`
}
