/**
 * Why money did not move, in one vocabulary for every gateway and rail. The codes are public API:
 * added, never renamed. A failure is stored and shown in the same words, hence its JSON names.
 */

type FailureCategory = 'hard' | 'soft' | 'customer_action' | 'technical'
type FailureAdvice = 'do_not_retry' | 'retry_later' | 'retry_with_other_method' | 'contact_us'

interface FailureMeaning {
  readonly category: FailureCategory
  readonly advice: FailureAdvice
  readonly message: string
}

// oxfmt-ignore
export const failureCodes = {
  card_declined:           { category: 'soft',            advice: 'retry_with_other_method', message: 'The issuer declined the card without saying why.' },
  insufficient_funds:      { category: 'soft',            advice: 'retry_later',             message: 'The account has not enough funds.' },
  lost_card:               { category: 'hard',            advice: 'do_not_retry',            message: 'The card was reported lost.' },
  stolen_card:             { category: 'hard',            advice: 'do_not_retry',            message: 'The card was reported stolen.' },
  expired_card:            { category: 'customer_action', advice: 'retry_with_other_method', message: 'The card has expired.' },
  incorrect_cvc:           { category: 'customer_action', advice: 'retry_with_other_method', message: 'The security code of the card is wrong.' },
  authentication_required: { category: 'customer_action', advice: 'retry_with_other_method', message: 'The issuer wants the cardholder to authenticate.' },
  limit_exceeded:          { category: 'soft',            advice: 'retry_later',             message: 'A limit of the account or card is reached.' },
  suspected_fraud:         { category: 'hard',            advice: 'do_not_retry',            message: 'The payment was stopped as suspected fraud.' },
  processing_error:        { category: 'soft',            advice: 'retry_later',             message: 'The issuer could not process the payment.' },
  invalid_account:         { category: 'hard',            advice: 'retry_with_other_method', message: 'The account does not exist.' },
  account_closed:          { category: 'hard',            advice: 'retry_with_other_method', message: 'The account is closed.' },
  account_blocked:         { category: 'hard',            advice: 'retry_with_other_method', message: 'The account is blocked.' },
  transaction_forbidden:   { category: 'hard',            advice: 'retry_with_other_method', message: 'The account does not allow this kind of payment.' },
  invalid_bank:            { category: 'hard',            advice: 'retry_with_other_method', message: 'The bank does not exist or cannot be reached.' },
  mandate_missing:         { category: 'hard',            advice: 'do_not_retry',            message: 'The bank knows no valid mandate.' },
  mandate_revoked:         { category: 'hard',            advice: 'do_not_retry',            message: 'The payer has revoked the mandate.' },
  unauthorized_debit:      { category: 'hard',            advice: 'do_not_retry',            message: 'The payer did not authorize the debit.' },
  refused_by_payer:        { category: 'hard',            advice: 'contact_us',              message: 'The payer refused the debit.' },
  duplicate:               { category: 'hard',            advice: 'do_not_retry',            message: 'The bank took it for a duplicate.' },
  regulatory:              { category: 'hard',            advice: 'contact_us',              message: 'The bank misses data that regulation asks for.' },
  gateway_refused:         { category: 'technical',       advice: 'contact_us',              message: 'The gateway did not accept the request.' },
  gateway_unavailable:     { category: 'technical',       advice: 'retry_later',             message: 'The gateway could not be reached in time; nothing was sent.' },
  approval_denied:         { category: 'hard',            advice: 'contact_us',              message: 'A reviewer denied the payment.' },
  other:                   { category: 'technical',       advice: 'contact_us',              message: 'The payment failed for a reason the gateway did not name.' },
} as const satisfies Record<string, FailureMeaning>

export type FailureCode = keyof typeof failureCodes

export interface Failure extends FailureMeaning {
  readonly code: FailureCode
  /** What the gateway called it; null when it never reached one. */
  readonly gateway_code: string | null
  /** What the card scheme or bank called it, such as AC04 or R01. */
  readonly network_code: string | null
}

export function failureOf(
  code: FailureCode,
  origin: { gatewayCode?: string; networkCode?: string } = {},
): Failure {
  const { category, advice, message } = failureCodes[code]
  return {
    code,
    category,
    message,
    gateway_code: origin.gatewayCode ?? null,
    network_code: origin.networkCode ?? null,
    advice,
  }
}
