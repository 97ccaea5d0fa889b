import { checkPasskey } from '../passkeys/check-passkey.ts'
import { newSignInChallenge } from '../passkeys/passkey-challenge.ts'
import { relyingPartyOf } from '../passkeys/relying-party.ts'
import {
  type SignInParts,
  type SignInStep,
  type SignInTry,
  checkCode,
  checkPassword,
} from '../users/sign-in.ts'
import { normalUsername } from '../users/username.ts'
import type { Progress } from './interaction.ts'
import { loginPage } from './login.page.ts'
import { passkeyPage } from './passkey.page.ts'

/**
 * The way in, page by page: a name with a password, then a code or a passkey where there is one; or
 * a name, then a passkey. What was typed so far is the progress; where it is kept, whose page it is
 * and what comes after it, the caller knows.
 */
export interface SignInView {
  readonly bank: string
  /** None: at the bank's own pages. */
  readonly app?: string
  /** What those are good for. */
  readonly purpose?: string
  readonly progress: Progress
  /** A name to begin with. */
  readonly hint?: string | undefined
  /** Nothing less will do. */
  readonly isPasskeyAsked: boolean
}

/** The page on which the person goes on, and whether it has our script. */
export function signInPage(issuer: string, view: SignInView): { text: string; hasScript: boolean } {
  const { bank, app, purpose, hint = '', isPasskeyAsked } = view
  const whose = {
    bank,
    ...(app !== undefined && { app }),
    ...(purpose !== undefined && { purpose }),
  }
  const { username = hint, passwordOk, challenge, problem } = view.progress
  const party = relyingPartyOf(issuer)
  if (party !== undefined && challenge !== undefined) {
    const ours = { rpId: party.id, challenge, isOnlyWay: isPasskeyAsked }
    return { text: passkeyPage({ ...whose, username, problem, ...ours }), hasScript: true }
  }
  const asksForCode = passwordOk !== undefined
  const passkey = party === undefined ? 'impossible' : isPasskeyAsked ? 'asked' : 'offered'
  const text = loginPage({ ...whose, username, problem, asksForCode, passkey })
  return { text, hasScript: false }
}

export interface SignInForm {
  readonly form: URLSearchParams
  readonly progress: Progress
  readonly tried: Omit<SignInTry, 'username'>
}

export type SignInAnswer =
  | Extract<SignInStep, { kind: 'signed_in' }>
  | { readonly kind: 'again'; readonly progress: Progress }

/** What a form leads to: in, or to the next page or the same one again. */
export async function takeSignInForm(parts: SignInParts, sent: SignInForm): Promise<SignInAnswer> {
  const { form, progress } = sent
  const { passwordOk, challenge } = progress
  const isFirst = passwordOk === undefined && challenge === undefined
  const typed = isFirst ? form.get('username') : progress.username
  const username = normalUsername((typed ?? '').slice(0, 200))
  const tried: SignInTry = { ...sent.tried, username }
  const decision = form.get('decision')
  if (decision === 'password') return again({ username })
  if (decision === 'passkey' && relyingPartyOf(parts.issuer) !== undefined) {
    if (username === '') return again({ problem: 'name_missing' })
    return again(await withChallenge(parts, tried, { username }))
  }
  const step = await nextStep(parts, tried, sent)
  if (step.kind === 'signed_in') return step
  const next = afterwards(step, username, progress)
  const asksForPasskey = step.kind === 'passkey_needed' || challenge !== undefined
  return again(asksForPasskey ? await withChallenge(parts, tried, next) : next)
}

async function nextStep(
  parts: SignInParts,
  tried: SignInTry,
  { form, progress: { passwordOk, challenge } }: SignInForm,
): Promise<SignInStep> {
  if (challenge !== undefined) {
    return await checkPasskey(parts, tried, { challenge, response: form.get('passkey') ?? '' })
  }
  if (passwordOk === undefined) {
    return await checkPassword(parts, tried, (form.get('password') ?? '').slice(0, 1_000))
  }
  return await checkCode(parts, tried, { passwordOk, code: (form.get('otp') ?? '').slice(0, 20) })
}

function again(progress: Progress): SignInAnswer {
  return { kind: 'again', progress }
}

/** A new challenge each time the page is shown after a form: none is signed twice. */
async function withChallenge(
  { pool }: SignInParts,
  { tenantId, at }: SignInTry,
  progress: Progress,
): Promise<Progress> {
  return { ...progress, challenge: await newSignInChallenge(pool, tenantId, at) }
}

function afterwards(
  step: Exclude<SignInStep, { kind: 'signed_in' }>,
  username: string,
  { passwordOk, challenge }: Progress,
): Progress {
  if (step.kind === 'passkey_needed') return { username }
  if (step.kind === 'code_needed') return { username, passwordOk: step.passwordOk }
  if (step.kind === 'blocked') {
    const keeps = passwordOk === undefined ? {} : { passwordOk }
    return { username, ...keeps, problem: 'blocked' }
  }
  if (challenge !== undefined) return { username, problem: 'wrong_passkey' }
  return { username, problem: passwordOk === undefined ? 'wrong' : 'wrong_code' }
}
