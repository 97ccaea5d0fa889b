import { Type } from 'typebox'
import {
  type EmittedEvent,
  type Moment,
  NullableString,
  event,
} from '../../platform/events/events.ts'
import { publicId } from '../../platform/ids.ts'
import { toJsonAmount } from '../../platform/money.ts'
import type { BeneficiaryRow } from './beneficiary.queries.ts'
import type { ConsentRow } from './consent.queries.ts'
import type { TransferRow } from './transfer.queries.ts'

const transfer = {
  transfer_id: Type.String(),
  status: Type.String(),
  from_account_id: Type.String(),
  to_account_id: NullableString,
  beneficiary_id: NullableString,
  amount: Type.Integer(),
  currency: Type.String(),
  transaction_id: NullableString,
  consent_id: NullableString,
}
const onTransfer = (type: string, description: string) =>
  event(`transfer.${type}`, 'transfer', description, transfer)

export const transferEvents = {
  booked: onTransfer('booked', 'The money moved between two accounts of the bank.'),
  pending: onTransfer('pending', 'The amount is held; the transfer leaves the bank later.'),
  cancelled: onTransfer('cancelled', 'The transfer was cancelled and its amount released.'),
}

const consent = {
  consent_id: Type.String(),
  status: Type.String(),
  client_id: Type.String(),
  user_id: NullableString,
  permissions: Type.Array(Type.String()),
  valid_until: Type.String(),
}
const onConsent = (type: string, description: string) =>
  event(`consent.${type}`, 'consent', description, consent)

export const consentEvents = {
  created: onConsent('created', 'An app asked for a consent that nobody has given yet.'),
  authorised: onConsent('authorised', 'A customer consented.'),
  rejected: onConsent('rejected', 'A customer refused.'),
  revoked: onConsent('revoked', 'The consent was withdrawn, and every token under it.'),
  consumed: onConsent('consumed', 'The one payment that the consent was for was taken on.'),
}

const beneficiary = { beneficiary_id: Type.String(), kind: Type.String() }
const onBeneficiary = (type: string, description: string) =>
  event(`beneficiary.${type}`, 'beneficiary', description, beneficiary)

export const beneficiaryEvents = {
  created: onBeneficiary('created', 'A payee was saved.'),
  updated: onBeneficiary('updated', 'A saved payee was renamed.'),
  deleted: onBeneficiary('deleted', 'A saved payee was deleted.'),
}

/** The event of a transfer as its row stands now; its `event_sequence` must have been raised. */
export function transferEvent(row: TransferRow, { at, requestId }: Moment): EmittedEvent {
  return transferEvents[row.state]({
    tenantId: row.tenant_id,
    objectId: row.id,
    sequence: row.event_sequence,
    at,
    requestId,
    data: {
      transfer_id: publicId('trf', row.id),
      status: row.state,
      from_account_id: publicId('acc', row.from_account_id),
      to_account_id: row.to_account_id && publicId('acc', row.to_account_id),
      beneficiary_id: row.beneficiary_id && publicId('ben', row.beneficiary_id),
      amount: toJsonAmount(row.amount),
      currency: row.currency,
      transaction_id: row.transaction_id && publicId('txn', row.transaction_id),
      consent_id: row.consent_id && publicId('con', row.consent_id),
    },
  })
}

export function consentEvent(row: ConsentRow, { at, requestId }: Moment): EmittedEvent {
  const name = row.state === 'awaiting_authorisation' ? 'created' : row.state
  return consentEvents[name]({
    tenantId: row.tenant_id,
    objectId: row.id,
    sequence: row.event_sequence,
    at,
    requestId,
    data: {
      consent_id: publicId('con', row.id),
      status: row.state,
      client_id: row.client_id,
      user_id: row.user_id,
      permissions: row.permissions,
      valid_until: row.valid_until.toISOString(),
    },
  })
}

export function beneficiaryEvent(
  name: keyof typeof beneficiaryEvents,
  row: BeneficiaryRow,
  { at, requestId }: Moment,
): EmittedEvent {
  return beneficiaryEvents[name]({
    tenantId: row.tenant_id,
    objectId: row.id,
    sequence: row.event_sequence,
    at,
    requestId,
    data: {
      beneficiary_id: publicId('ben', row.id),
      kind: row.iban === null ? 'internal' : 'external',
    },
  })
}
