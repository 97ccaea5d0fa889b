/**
 * What a sandbox caller can ask for by choosing a card, a token or an amount. One table, read by
 * the sandbox gateway (which acts on it), by the payments module (which takes no other card
 * number in a sandbox and finds brand and last four digits here) and by the documentation.
 *
 * Every other token completes, and so does every other amount. The file imports nothing: the
 * gateway is the witness of our fault tests and shares no code with the service but this data.
 */

/** What becomes of a sale or an authorization, and of later refunds of it. */
export type SandboxEffect =
  | { readonly kind: 'completes' }
  | { readonly kind: 'declines'; readonly code: SandboxDecline }
  /** The money moves, the reply is swallowed; asking again finds it. */
  | { readonly kind: 'unknown_done' }
  /** The first send is swallowed and moves nothing; sent again under its key, it completes. */
  | { readonly kind: 'unknown_lost' }
  /** No send is ever answered, and neither is an inquiry. Nothing moves. */
  | { readonly kind: 'unknown_forever' }
  /** Refused as not processed twice per key; the third send completes. */
  | { readonly kind: 'unavailable' }
  /** Completes; its refunds are answered `pending` and settle later. */
  | { readonly kind: 'refund_pending' }
  /** Completes; its refunds complete at first and turn to failed later. */
  | { readonly kind: 'refund_fails' }

/** Why the sandbox's issuer says no: the gateway's own codes for a declined card. */
export type SandboxDecline =
  | 'card_declined'
  | 'insufficient_funds'
  | 'lost_card'
  | 'stolen_card'
  | 'expired_card'
  | 'incorrect_cvc'
  | 'processing_error'
  | 'authentication_required'

export interface SandboxCard {
  readonly number: string
  readonly token: string
  readonly brand: 'visa' | 'mastercard'
  readonly last4: string
  readonly effect: SandboxEffect
}

/** An amount in minor units, whatever the currency, for callers who cannot choose the card. */
interface SandboxAmount {
  readonly amount: number
  readonly effect: SandboxEffect
}

const completes: SandboxEffect = { kind: 'completes' }

// oxfmt-ignore
export const sandboxCards: readonly SandboxCard[] = [
  card('4242424242424242', 'tok_visa',                    completes),
  card('4111111111111111', 'tok_visa_alternate',          completes),
  card('5555555555554444', 'tok_mastercard',              completes),
  card('4000000000000002', 'tok_declined',                declines('card_declined')),
  card('4000000000009995', 'tok_insufficient_funds',      declines('insufficient_funds')),
  card('4000000000009987', 'tok_lost',                    declines('lost_card')),
  card('4000000000009979', 'tok_stolen',                  declines('stolen_card')),
  card('4000000000000069', 'tok_expired',                 declines('expired_card')),
  card('4000000000000127', 'tok_incorrect_cvc',           declines('incorrect_cvc')),
  card('4000000000000119', 'tok_processing_error',        declines('processing_error')),
  card('4000003800000446', 'tok_authentication_required', declines('authentication_required')),
  card('4000000000007726', 'tok_refund_pending',          { kind: 'refund_pending' }),
  card('4000000000005126', 'tok_refund_fails',            { kind: 'refund_fails' }),
  card('4000000000029001', 'tok_unknown_done',            { kind: 'unknown_done' }),
  card('4000000000019002', 'tok_unknown_lost',            { kind: 'unknown_lost' }),
  card('4000000000009003', 'tok_unknown_forever',         { kind: 'unknown_forever' }),
  card('4000000000099004', 'tok_unavailable',             { kind: 'unavailable' }),
]

/** Sales and authorizations of exactly these amounts; captures and refunds are not looked up. */
// oxfmt-ignore
export const sandboxAmounts: readonly SandboxAmount[] = [
  { amount: 5402, effect: declines('card_declined') },
  { amount: 5404, effect: declines('insufficient_funds') },
  { amount: 5405, effect: declines('expired_card') },
  { amount: 5406, effect: declines('authentication_required') },
  { amount: 5407, effect: declines('processing_error') },
  { amount: 5408, effect: { kind: 'unknown_done' } },
  { amount: 5409, effect: { kind: 'unknown_lost' } },
  { amount: 5410, effect: { kind: 'unknown_forever' } },
  { amount: 5411, effect: { kind: 'unavailable' } },
]

const byNumber = new Map(sandboxCards.map((row) => [row.number, row]))
const byToken = new Map(sandboxCards.map((row) => [row.token, row]))
const byAmount = new Map(sandboxAmounts.map((row) => [row.amount, row.effect]))

/** The listed card of that number (digits only) or token. */
export function findSandboxCard(
  wanted: { readonly number: string } | { readonly token: string },
): SandboxCard | undefined {
  return 'number' in wanted ? byNumber.get(wanted.number) : byToken.get(wanted.token)
}

/** What a sale or an authorization does. The card decides; a card that completes lets the amount. */
export function sandboxEffect(asked: { token: string; amount: number }): SandboxEffect {
  const { effect } = byToken.get(asked.token) ?? { effect: completes }
  return effect.kind === 'completes' ? (byAmount.get(asked.amount) ?? completes) : effect
}

function card(number: string, token: string, effect: SandboxEffect): SandboxCard {
  const brand = number.startsWith('5') ? 'mastercard' : 'visa'
  return { number, token, brand, last4: number.slice(-4), effect }
}

function declines(code: SandboxDecline): SandboxEffect {
  return { kind: 'declines', code }
}
