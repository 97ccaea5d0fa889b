import { defineErrors } from '../../platform/errors.ts'

const missing = { status: 404, retryable: false } as const
const rule = { status: 422, retryable: false } as const
const state = { status: 409, retryable: false } as const

export const refuse = defineErrors({
  bank_account_not_found: { ...missing, title: 'No such account.' },
  transfer_not_found: { ...missing, title: 'No such transfer.' },
  beneficiary_not_found: { ...missing, title: 'No such beneficiary.' },
  consent_not_found: { ...missing, title: 'No such consent.' },
  account_id_required: {
    status: 400,
    retryable: false,
    title: 'There is more than one account: say which.',
  },
  consent_required: {
    status: 403,
    retryable: false,
    title: 'The customer has not consented to this, or no longer does.',
  },
  same_account: { ...rule, title: 'A transfer needs two different accounts.' },
  limit_exceeded: { ...rule, title: 'The transfer is beyond a limit of the consent.' },
  iban_invalid: { ...rule, title: 'This is no IBAN: its check digits do not fit.' },
  consent_terms_invalid: { ...rule, title: 'A consent cannot be given on these terms.' },
  account_frozen: { ...state, title: 'The account is frozen in this direction.' },
  transfer_not_cancellable: { ...state, title: 'The transfer is past the point of cancelling.' },
})

type Code = keyof typeof refuse.table

export const accountErrors: readonly Code[] = ['bank_account_not_found', 'consent_required']

/** What can turn a transfer away, for the API document; some of it the ledger says. */
export const transferErrors: readonly string[] = [
  'bank_account_not_found',
  'beneficiary_not_found',
  'consent_required',
  'same_account',
  'currency_mismatch',
  'limit_exceeded',
  'insufficient_funds',
  'account_frozen',
  'account_closed',
  'balance_limit_exceeded',
  'balance_out_of_range',
  'period_closed',
]
