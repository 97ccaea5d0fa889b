import type { Answer } from '../api.ts'
import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'

export interface CardPayment {
  readonly amount: number
  /** Decides in the sandbox what becomes of the payment. */
  readonly token: string
  readonly capture_method?: 'manual'
}

export async function postCardPayment(
  { api, facts }: Story,
  { token, ...payment }: CardPayment,
): Promise<Answer> {
  const body = {
    ...payment,
    currency: 'EUR',
    payment_method: { type: 'card', card: { token } },
    recipient: { type: 'account', account_id: facts.get('shop') },
  }
  return await api.post('/payments', { body })
}

/** The payment once the gateway has nothing more to say about it. */
export async function settle({ api }: Story, paymentId: string): Promise<Answer> {
  return await api.poll(`/payments/${paymentId}`, (body) => !isUnderWay(body))
}

export function isUnderWay(body: unknown): boolean {
  return ['pending', 'processing'].includes(String(memberOf(body, 'status')))
}

/** Reads the account and checks what is booked on it. */
export async function checkBalance(
  { api, checks, facts }: Story,
  name: 'shop' | 'supplier',
  posted: number,
): Promise<void> {
  const answer = await api.get(`/ledger/accounts/${facts.get(name)}`)
  checks.answer(answer, 200)
  checks.equal(`balance of the ${name}`, memberOf(answer.body, 'balances.posted'), posted)
}
