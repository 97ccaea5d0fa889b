import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'
import { PAID } from './pay-by-card.ts'
import { checkBalance, isUnderWay } from './payments.ts'

const PART = 2_500

export async function refundPart(story: Story): Promise<void> {
  await refund(story, { amount: PART }, PART)
  await checkPayment(story, { status: 'partially_refunded', amount_refunded: PART })
}

/** Without an amount, all that is left is refunded. */
export async function refundRest(story: Story): Promise<void> {
  await refund(story, {}, PAID.amount - PART)
  await checkPayment(story, {
    status: 'refunded',
    amount_refunded: PAID.amount,
    amount_refundable: 0,
  })
  await checkBalance(story, 'shop', 0)
}

async function refund({ api, checks, facts }: Story, body: object, amount: number): Promise<void> {
  const asked = await api.post(`/payments/${facts.get('card_payment')}/refunds`, { body })
  checks.answer(asked, 201, { amount })
  const id = String(memberOf(asked.body, 'id'))
  const answer = await api.poll(`/refunds/${id}`, (now) => !isUnderWay(now))
  checks.answer(answer, 200, { status: 'completed', amount })
}

async function checkPayment(
  { api, checks, facts }: Story,
  members: Readonly<Record<string, unknown>>,
): Promise<void> {
  checks.answer(await api.get(`/payments/${facts.get('card_payment')}`), 200, members)
}
