import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { ownPagesHome } from '../own-pages/home.ts'
import { findPerson } from '../library-account.ts'
import { consentAsk, scopesAsked } from '../consent-ask.ts'
import type { ConsentAsk, ConsentSlot } from '../consent-slot.ts'
import { newGrantId } from '../end-grant.ts'
import { saveGrant } from '../loaded-grant.ts'
import { consentPage } from './consent.page.ts'
import { formOf } from './form.ts'
import {
  type PageParts,
  type Waiting,
  answered,
  claim,
  finish,
  keepProgress,
  progressOf,
  release,
} from './interaction.ts'

export async function showConsent(parts: PageParts, waiting: Waiting): Promise<string> {
  const { slot, ask } = await askOf(parts, waiting)
  const { message, chosen } = progressOf(waiting.interaction)
  return consentPage({
    bank: waiting.tenant.name,
    app: ask.client.name,
    home: ownPagesHome(ask.tenantId),
    page: await slot.describe(ask),
    problem: message,
    chosen,
  })
}

/** The decision of a person, taken once however often it is sent; answers where the browser goes. */
export async function takeConsent(
  parts: PageParts,
  waiting: Waiting,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const { interaction } = waiting
  if (!(await claim(parts.pool, interaction))) {
    return (await answered(waiting)) ? interaction.returnTo : here(waiting)
  }
  let decided = false
  try {
    const result = await decide(parts, waiting, request)
    if (result === undefined) return here(waiting)
    decided = true
    return await finish(waiting, request, reply, result)
  } finally {
    if (!decided) await release(parts.pool, interaction)
  }
}

/** What the library is told; undefined when the page is shown again. */
async function decide(
  parts: PageParts,
  waiting: Waiting,
  request: FastifyRequest,
): Promise<Record<string, unknown> | undefined> {
  const { interaction, provider } = waiting
  const { slot, ask, accountId } = await askOf(parts, waiting)
  const at = parts.clock.now()
  const form = formOf(request)
  if (form.get('decision') === 'deny') {
    await slot.reject(ask, at)
    return { error: 'access_denied', error_description: 'the customer did not agree' }
  }
  const accountIds = [...new Set(form.getAll('account_ids'))]
  if (form.get('decision') !== 'allow' || !(await areOffered(slot, ask, accountIds))) {
    await keepProgress(interaction, { message: 'Please choose again.', chosen: [] })
    return undefined
  }
  const grantId = newGrantId(at)
  const choice = { accountIds, grantId, actorOrigin: request.ip, at }
  const decision = await slot.authorise(ask, choice)
  if (!decision.ok) {
    await keepProgress(interaction, { message: decision.message, chosen: accountIds })
    return undefined
  }
  const { expiresAt, scopes, authorizationDetails } = decision.consent
  const asked = scopesAsked(interaction.params['scope'])
  const granted = asked.filter((one) => one === 'openid' || scopes.includes(one))
  await saveGrant(provider, {
    jti: grantId,
    accountId,
    clientId: ask.client.clientId,
    granted,
    refused: asked.filter((one) => !granted.includes(one)),
    rar: authorizationDetails as readonly { type: string }[],
    expiresIn: Math.max(1, Math.floor((expiresAt.getTime() - at.getTime()) / 1_000)),
  })
  return { consent: { grantId } }
}

async function areOffered(
  slot: ConsentSlot,
  ask: ConsentAsk,
  accountIds: readonly string[],
): Promise<boolean> {
  if (accountIds.length === 0) return true // whether none will do, the owner of accounts knows
  const { accounts } = await slot.describe(ask)
  return accountIds.every((id) => accounts.some((account) => account.id === id))
}

async function askOf({ consents, pool }: PageParts, { interaction, client }: Waiting) {
  const accountId = interaction.session?.accountId
  if (consents === undefined || accountId === undefined) {
    throw new errors.SessionNotFound('nobody is signed in')
  }
  const account = await findPerson(pool, client, accountId)
  if (account === undefined) throw new errors.SessionNotFound('nobody is signed in')
  return { slot: consents, accountId, ask: consentAsk(client, account.person, interaction.params) }
}

function here({ interaction }: Waiting): string {
  return `/oauth/interaction/${interaction.uid}`
}
