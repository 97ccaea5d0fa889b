/** The chart of accounts a new tenant starts with. A clearing line must return to zero. */
export interface ChartLine {
  readonly code: string
  readonly role: string
  readonly name: string
  readonly type: 'asset' | 'liability' | 'equity' | 'income' | 'expense'
  readonly normalSide: 'debit' | 'credit'
  readonly clearing: boolean
}

// oxfmt-ignore
export const CHART: readonly ChartLine[] = [
  asset('1010', 'bank', 'Bank'),
  clearing('1020', 'bank_clearing', 'Bank clearing'),
  clearing('1030', 'gateway_clearing', 'Gateway clearing'),
  clearing('1040', 'returns', 'Returns to recover'),
  clearing('1050', 'chargebacks', 'Chargebacks in dispute'),
  clearing('1090', 'loan_clearing', 'Loan clearing'),
  asset('1100', 'loan_portfolio', 'Loan portfolio'),
  asset('1110', 'interest_receivable', 'Interest receivable'),
  asset('1120', 'fees_receivable', 'Fees receivable'),
  asset('1130', 'penalties_receivable', 'Penalties receivable'),
  clearing('1900', 'bank_unmatched', 'Bank lines not yet explained'),
  liability('2010', 'customer_funds', 'Customer funds'),
  { ...liability('2020', 'refunds_payable', 'Refunds payable'), clearing: true },
  liability('2030', 'overpayment_liability', 'Overpayments'),
  liability('2050', 'taxes_payable', 'Taxes payable'),
  equity('3010', 'capital', 'Capital'),
  equity('3900', 'retained_earnings', 'Retained earnings'),
  equity('3950', 'fx_position', 'Foreign exchange position'),
  income('4010', 'fee_income', 'Fee income'),
  income('4020', 'interest_income', 'Interest income'),
  income('4030', 'penalty_income', 'Penalty income'),
  income('4040', 'fx_gain', 'Foreign exchange gain'),
  expense('5010', 'fees', 'Fees paid'),
  expense('5020', 'chargeback_losses', 'Chargeback losses'),
  expense('5030', 'write_offs', 'Write-offs'),
  expense('5050', 'rounding', 'Rounding'),
]

function asset(code: string, role: string, name: string): ChartLine {
  return { code, role, name, type: 'asset', normalSide: 'debit', clearing: false }
}

function clearing(code: string, role: string, name: string): ChartLine {
  return { ...asset(code, role, name), clearing: true }
}

function liability(code: string, role: string, name: string): ChartLine {
  return { code, role, name, type: 'liability', normalSide: 'credit', clearing: false }
}

function equity(code: string, role: string, name: string): ChartLine {
  return { code, role, name, type: 'equity', normalSide: 'credit', clearing: false }
}

function income(code: string, role: string, name: string): ChartLine {
  return { code, role, name, type: 'income', normalSide: 'credit', clearing: false }
}

function expense(code: string, role: string, name: string): ChartLine {
  return { code, role, name, type: 'expense', normalSide: 'debit', clearing: false }
}
