import { randomUUID } from 'node:crypto'
import { memberOf } from '../json-members.ts'
import type { Story } from '../story.ts'
import { CAPTURED } from './capture-in-parts.ts'
import { checkBalance } from './payments.ts'

export const MOVED = 3_000

export async function transfer(story: Story): Promise<void> {
  const { api, checks, facts } = story
  await checkBalances(story, 0)
  const key = randomUUID()
  const body = {
    amount: MOVED,
    currency: 'EUR',
    payment_method: { type: 'book' },
    source: { account_id: facts.get('shop') },
    recipient: { type: 'account', account_id: facts.get('supplier') },
    external_id: `invoice-${key}`,
  }
  const answer = await api.post('/payments', { body, key })
  checks.answer(answer, 201, { status: 'completed', amount_captured: MOVED })
  facts.set('transfer', String(memberOf(answer.body, 'id')))
  facts.set('transfer_request', { key, body, answer: answer.text })
  await checkBalances(story, MOVED)
}

/** The same request under the same key, as after a lost answer: answered again, not done again. */
export async function repeatTransfer(story: Story): Promise<void> {
  const { api, checks, facts } = story
  const { key, body, answer: first } = facts.get('transfer_request')
  const answer = await api.post('/payments', { body, key })
  checks.answer(answer, 201, { id: facts.get('transfer') })
  checks.equal('Idempotent-Replayed', answer.headers.get('idempotent-replayed'), 'true')
  checks.equal('the same body as before', answer.text === first, true)
  await checkBalances(story, MOVED)
}

async function checkBalances(story: Story, moved: number): Promise<void> {
  await checkBalance(story, 'shop', CAPTURED - moved)
  await checkBalance(story, 'supplier', moved)
}
