import { defineErrors } from '../../platform/errors.ts'

const rule = { status: 422, retryable: false } as const
const state = { status: 409, retryable: false } as const
const missing = { status: 404, retryable: false } as const

export const refuse = defineErrors({
  ledger_account_not_found: { ...missing, title: 'No such ledger account.' },
  transaction_not_found: { ...missing, title: 'No such ledger transaction.' },
  hold_not_found: { ...missing, title: 'No such hold.' },

  unbalanced: { ...rule, title: 'Debits and credits differ in a currency.' },
  too_few_entries: { ...rule, title: 'A transaction needs at least two entries.' },
  too_many_entries: { ...rule, title: 'A transaction holds at most 100 entries.' },
  account_not_found: { ...rule, title: 'An entry names an account that does not exist.' },
  chart_line_not_found: { ...rule, title: 'No such line in the chart of accounts.' },
  account_not_postable: { ...rule, title: 'This chart line is a header and takes no accounts.' },
  currency_mismatch: { ...rule, title: 'An entry is not in the currency of its account.' },
  insufficient_funds: { ...rule, title: 'The account has too little available.' },
  balance_limit_exceeded: { ...rule, title: 'The account would exceed its balance limit.' },
  balance_out_of_range: { ...rule, title: 'The balance would leave the range that JSON carries.' },
  effective_date_out_of_range: {
    ...rule,
    title: 'The effective date is too far ahead: at most 5 days.',
  },
  total_out_of_range: { ...rule, title: 'The total would leave the range that JSON carries.' },
  corrected_transaction_not_found: {
    ...rule,
    title: 'corrects_transaction_id names no transaction.',
  },
  hold_accounts_equal: { ...rule, title: 'A hold needs two different accounts.' },
  hold_amount_exceeded: { ...rule, title: 'More than the hold has left.' },
  hold_entries_mismatch: {
    ...rule,
    title: 'The entries do not take the amount from the held account.',
  },
  group_refused: { ...rule, title: 'An item of this atomic batch was refused: nothing is booked.' },

  metadata_too_large: { ...rule, title: 'Metadata holds at most 50 keys.' },
  account_closed: { ...state, title: 'The account is closed.' },
  account_blocked: { ...state, title: 'The account is blocked in this direction.' },
  account_not_empty: {
    ...state,
    title: 'Only an account without balance and holds can be closed.',
  },
  account_in_use: { ...state, title: 'The service keeps this account for itself.' },
  account_key_taken: { ...state, title: 'An account with this external_id exists.' },
  period_closed: { ...state, title: 'The effective date lies in a closed period.' },
  external_id_taken: { ...state, title: 'Another transaction has this external_id.' },
  transaction_not_yours: {
    ...state,
    title: 'A module booked this for an object of its own: take it back there.',
  },
  already_reversed: { ...state, title: 'The transaction is reversed already, or is a reversal.' },
  hold_not_pending: { ...state, title: 'The hold is no longer pending.' },
  hold_expired: { ...state, title: 'The hold has expired.' },
  hold_not_expired: { ...state, title: 'The hold has not expired yet.' },
  version_mismatch: { ...state, title: 'The account has changed since the version you expected.' },
})

type Code = keyof typeof refuse.table

/** What can turn a posting away, for the API document. */
export const postingErrors: readonly Code[] = [
  'unbalanced',
  'too_few_entries',
  'too_many_entries',
  'account_not_found',
  'currency_mismatch',
  'insufficient_funds',
  'balance_limit_exceeded',
  'balance_out_of_range',
  'total_out_of_range',
  'effective_date_out_of_range',
  'corrected_transaction_not_found',
  'account_closed',
  'account_blocked',
  'period_closed',
  'external_id_taken',
  'version_mismatch',
]
