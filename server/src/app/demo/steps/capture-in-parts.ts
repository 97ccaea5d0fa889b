import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'
import { checkBalance, postCardPayment, settle } from './payments.ts'

const AUTHORIZED = 9_000
const FIRST = 6_000
const SECOND = 2_000

/** What the shop holds afterwards; the last 1,000 are given up by the final capture. */
export const CAPTURED = FIRST + SECOND

export async function captureInParts(story: Story): Promise<void> {
  const { api, checks } = story
  const payment = { amount: AUTHORIZED, token: 'tok_visa', capture_method: 'manual' } as const
  const asked = await postCardPayment(story, payment)
  checks.answer(asked, 201, { status: 'pending' })
  const id = String(memberOf(asked.body, 'id'))
  const authorized = await settle(story, id)
  checks.answer(authorized, 200, { status: 'authorized', amount_capturable: AUTHORIZED })

  const capture = async (body: { amount: number; final: boolean }, captured: number) => {
    checks.answer(await api.post(`/payments/${id}/capture`, { body }), 202)
    return await api.poll(`/payments/${id}`, (now) => memberOf(now, 'amount_captured') === captured)
  }
  const part = await capture({ amount: FIRST, final: false }, FIRST)
  checks.answer(part, 200, { status: 'authorized', amount_capturable: AUTHORIZED - FIRST })
  const done = await capture({ amount: SECOND, final: true }, CAPTURED)
  checks.answer(done, 200, { status: 'completed', amount_captured: CAPTURED, amount_capturable: 0 })
  await checkBalance(story, 'shop', CAPTURED)
}
