import { defineErrors } from '../../platform/errors.ts'

const rule = { status: 422, retryable: false } as const
const state = { status: 409, retryable: false } as const
const missing = { status: 404, retryable: false } as const

export const refuse = defineErrors({
  payment_not_found: { ...missing, title: 'No such payment.' },
  refund_not_found: { ...missing, title: 'No such refund.' },

  recipient_required: {
    ...rule,
    title: 'No recipient given, and no operating account to default to.',
  },
  source_required: { ...rule, title: 'A book payment needs a source account.' },
  source_not_allowed: { ...rule, title: 'This payment method takes no source account.' },
  same_account: { ...rule, title: 'Source and recipient are the same account.' },
  capture_method_not_allowed: {
    ...rule,
    title: 'Only card payments are captured by hand.',
  },
  account_not_payable: { ...rule, title: 'Payments move customer funds; this account holds none.' },
  recipient_not_found: { ...rule, title: 'The recipient account does not exist.' },
  source_not_found: { ...rule, title: 'The source account does not exist.' },
  recipient_currency_mismatch: { ...rule, title: 'The recipient account is in another currency.' },
  no_route: { ...rule, title: 'No gateway takes this payment.' },
  payment_method_invalid: {
    ...rule,
    title: 'The payment method is not complete, or contradicts itself.',
  },
  test_card_required: { ...rule, title: 'The sandbox takes only its listed test cards.' },
  raw_card_data_refused: {
    ...rule,
    title: 'Card numbers are not taken here. Send a token of your gateway.',
  },
  capture_exceeds_authorized: { ...rule, title: 'More than is left to capture.' },
  refund_exceeds_refundable: { ...rule, title: 'More than is left to refund.' },

  recipient_closed: { ...state, title: 'The recipient account is closed.' },
  payment_external_id_taken: { ...state, title: 'Another payment has this external_id.' },
  refund_external_id_taken: { ...state, title: 'Another refund has this external_id.' },
  payment_not_capturable: { ...state, title: 'The payment is not waiting to be captured.' },
  payment_not_cancelable: { ...state, title: 'The payment can no longer be canceled.' },
  payment_not_refundable: { ...state, title: 'The payment has nothing to refund.' },
  payment_busy: { ...state, title: 'The payment is being captured or voided.' },
})

/** What a payment can be refused for when it is taken on. */
export const creationErrors = [
  'recipient_required',
  'source_required',
  'source_not_allowed',
  'same_account',
  'capture_method_not_allowed',
  'account_not_payable',
  'recipient_not_found',
  'source_not_found',
  'recipient_currency_mismatch',
  'recipient_closed',
  'no_route',
  'payment_method_invalid',
  'test_card_required',
  'raw_card_data_refused',
  'payment_external_id_taken',
  'insufficient_funds',
  'currency_mismatch',
  'account_closed',
  'account_blocked',
  'balance_limit_exceeded',
  'balance_out_of_range',
] as const
export const captureErrors = [
  'payment_not_found',
  'payment_not_capturable',
  'payment_busy',
  'capture_exceeds_authorized',
] as const
export const cancelErrors = ['payment_not_found', 'payment_not_cancelable', 'payment_busy'] as const
export const refundErrors = [
  'payment_not_found',
  'payment_not_refundable',
  'refund_exceeds_refundable',
  'refund_external_id_taken',
  'insufficient_funds',
  'account_closed',
  'account_blocked',
] as const
