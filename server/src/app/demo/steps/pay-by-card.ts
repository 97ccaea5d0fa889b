import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'
import { type CardPayment, checkBalance, postCardPayment, settle } from './payments.ts'

export const PAID: CardPayment = { amount: 10_000, token: 'tok_visa' }

export async function takeCardPayment(story: Story): Promise<void> {
  const { checks, facts } = story
  const answer = await postCardPayment(story, PAID)
  checks.answer(answer, 201, { status: 'pending', amount: PAID.amount, currency: 'EUR' })
  facts.set('card_payment', String(memberOf(answer.body, 'id')))
  facts.set('since', String(memberOf(answer.body, 'created_at')))
}

export async function awaitCardPayment(story: Story): Promise<void> {
  const { checks, facts } = story
  const answer = await settle(story, facts.get('card_payment'))
  checks.answer(answer, 200, { status: 'completed', amount_captured: PAID.amount })
  await checkBalance(story, 'shop', PAID.amount)
}

export async function declineCard(story: Story): Promise<void> {
  const { checks } = story
  const asked = await postCardPayment(story, { amount: 4_200, token: 'tok_declined' })
  checks.answer(asked, 201, { status: 'pending' })
  const answer = await settle(story, String(memberOf(asked.body, 'id')))
  checks.answer(answer, 200, {
    status: 'failed',
    'failure.code': 'card_declined',
    amount_captured: 0,
  })
}
