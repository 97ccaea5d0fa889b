import type { Actor } from '../../platform/actor.ts'
import { statement } from '../../platform/db/statement.ts'
import type { TxOf } from '../../platform/db/types.ts'
import type { Refused } from '../../platform/errors.ts'
import { refuse } from './banking.errors.ts'
import type { ConsentRow } from './consent.queries.ts'
import { statusOfConsent } from './consent.states.ts'
import type { Permission } from './consent.permissions.ts'

/**
 * What an actor may see, and the only place that decides it. The bank itself sees the accounts of
 * all customers; an app sees those that its customer consented to and still holds.
 */
export type View =
  | { readonly kind: 'bank' }
  | {
      readonly kind: 'consent'
      readonly actor: Actor
      /** Undefined: the grant of the token has none. */
      readonly consent: ConsentRow | undefined
      /** Of the consent, and still the party's. */
      readonly accountIds: ReadonlySet<string>
    }

/** Whether an actor works for the bank. An app that acts for itself does not: it has no customer. */
export type IsBank = (actor: Actor) => boolean | Promise<boolean>

export type Tx = TxOf<'banking'>

export async function viewOf(tx: Tx, actor: Actor, isBank: IsBank): Promise<View> {
  if (actor.user === undefined || actor.kind !== 'app') {
    if (await isBank(actor)) return { kind: 'bank' }
    return { kind: 'consent', actor, consent: undefined, accountIds: new Set() }
  }
  const { grantId, partyId } = actor.user
  const { rows } = await selectConsentWithAccounts(tx, actor.tenantId, grantId, partyId)
  const [row] = rows
  const consent = row !== undefined && isOf(row, actor) ? row : undefined
  return { kind: 'consent', actor, consent, accountIds: new Set(consent && row?.held) }
}

const selectConsentWithAccounts = statement<ConsentRow & { readonly held: string[] }>(`
  select c.*, array(
    select h.account_id::text from banking.account_holders h
    where h.tenant_id = c.tenant_id and h.party_id = $3 and h.account_id = any(c.account_ids)
      and h.ended_at is null
  ) as held
  from banking.consents c where c.tenant_id = $1 and c.grant_id = $2`)

/** A grant id is unguessable and belongs to one of each; that they agree is proved all the same. */
export function isOf(consent: ConsentRow, { clientId, user }: Actor): boolean {
  return (
    consent.client_id === clientId &&
    consent.user_id === user?.id &&
    consent.party_id === user?.partyId
  )
}

/** Why this consent does not allow it now; undefined when it does. */
export function consentFault(
  consent: ConsentRow | undefined,
  permission: Permission,
  now: Date,
): Refused | undefined {
  if (consent === undefined || statusOfConsent(consent, now) !== 'authorised') {
    return refuse('consent_required')
  }
  if (consent.permissions.includes(permission)) return undefined
  return refuse('consent_required', { detail: `The consent does not include ${permission}.` })
}

export function viewFault(view: View, permission: Permission, now: Date): Refused | undefined {
  return view.kind === 'bank' ? undefined : consentFault(view.consent, permission, now)
}

/** An account of the ledger, as far as seeing it goes. */
export interface Seen {
  readonly accountId: string
  /** Role of its chart line. */
  readonly role: string
}

export function canSeeAccount(view: View, { accountId, role }: Seen): boolean {
  if (role !== CUSTOMER_FUNDS) return false
  return view.kind === 'bank' || view.accountIds.has(accountId)
}

export const CUSTOMER_FUNDS = 'customer_funds'

export interface SeenTransfer {
  readonly client_id: string
  readonly user_id: string | null
  readonly from_account_id: string
}

/** An app sees what it did itself for this customer, from an account that it may still see. */
export function canSeeTransfer(view: View, row: SeenTransfer): boolean {
  if (view.kind === 'bank') return true
  const { actor, accountIds } = view
  return (
    row.client_id === actor.clientId &&
    row.user_id === (actor.user?.id ?? null) &&
    accountIds.has(row.from_account_id)
  )
}

/** A list of payees is one party's; the bank's own belongs to nobody. */
export function canSeeBeneficiary(
  actor: Actor,
  row: { readonly party_id: string | null; readonly deleted_at: Date | null },
): boolean {
  return row.deleted_at === null && row.party_id === (actor.user?.partyId ?? null)
}

/** An app sees what it asked for and what its customer gave it; a customer, all of theirs; the bank, all. */
export function canSeeConsent(
  { actor, isBank }: { readonly actor: Actor; readonly isBank: boolean },
  row: Pick<ConsentRow, 'client_id' | 'user_id'>,
): boolean {
  if (isBank) return true
  if (actor.clientId === undefined) return actor.user !== undefined && row.user_id === actor.user.id
  if (row.client_id !== actor.clientId) return false
  return actor.user === undefined || row.user_id === null || row.user_id === actor.user.id
}
