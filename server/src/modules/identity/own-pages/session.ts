import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import type { Clock } from '../../../platform/clock.ts'
import type { Sealing } from '../../../platform/crypto/sealing.ts'
import { databaseOver } from '../../../platform/db/dialect.ts'
import { inTransaction } from '../../../platform/db/transaction.ts'
import { internalId, publicId } from '../../../platform/ids.ts'
import { hashOfId } from '../artifact-id.ts'
import { deleteArtifact } from '../artifact.queries.ts'
import type { Progress } from '../pages/interaction.ts'
import { type PersonRow, findActivePerson } from '../users/person.queries.ts'
import type { UserKind } from '../users/user.queries.ts'
import type { SignInLevel } from '../users/sign-in.ts'
import { SESSION_MODEL, findSession, insertSession, updateSession } from './session.queries.ts'
import { type SessionCookie, sessionCookie } from './session-cookie.ts'

const IDLE_MS = 15 * 60_000
const LONGEST_MS = 12 * 3_600_000
const SIGN_IN_MS = 10 * 60_000 // as long as the pages of an authorization request wait
const TOUCH_MS = 30_000 // a session that was seen a moment ago is not written again

/** What a browser is at the bank's own pages of one tenant. */
interface Kept {
  readonly tenantId: string
  /** Milliseconds: when the sign-in began, or when it succeeded. */
  readonly since: number
  readonly seen: number
  /** While somebody is signing in. */
  readonly progress?: Progress
  /** Once he has. */
  readonly user?: { readonly id: string } & SignInLevel
  /** What the next page says, once. */
  readonly notice?: string
}

/** Somebody who is signed in at the bank's own pages. */
export interface SignedIn {
  readonly person: PersonRow
  readonly level: SignInLevel
  readonly signedInAt: Date
  /** What was done last, for the next page, which says it once. */
  readonly notice: string | undefined
}

export interface SessionParts {
  readonly issuer: string
  readonly pool: Pool
  readonly sealing: Sealing
  readonly clock: Clock
}

type Asking = Pick<FastifyRequest, 'headers'>

/**
 * Sessions of people at the bank's own pages. The cookie holds 32 random bytes, the database
 * their hash; what a session says stands under seal. It ends after a quarter of an hour without a
 * request and after twelve hours with them, when its person is kept out or gets a new password, and
 * with another tenant's pages it is none. Who signs in gets a new id, so one that was planted in
 * his browser before is worth nothing.
 */
export interface OwnPageSessions {
  /** What somebody who is signing in has typed so far. */
  progress(request: Asking, tenantId: string): Promise<Progress>
  keepProgress(
    request: Asking,
    reply: FastifyReply,
    tenantId: string,
    progress: Progress,
  ): Promise<void>
  signIn(
    request: Asking,
    reply: FastifyReply,
    who: { readonly tenantId: string; readonly userId: string; readonly level: SignInLevel },
  ): Promise<void>
  /** Undefined: the sign-in page comes first. Each call counts as a sign of life. */
  signedIn(request: Asking, tenantId: string, kind: UserKind): Promise<SignedIn | undefined>
  note(request: Asking, tenantId: string, notice: string | undefined): Promise<void>
  signOut(request: Asking, reply: FastifyReply): Promise<void>
}

export function ownPageSessions(parts: SessionParts): OwnPageSessions {
  const { pool, clock } = parts
  const cookie = sessionCookie(parts.issuer)
  const vault = sessionVault(parts)

  async function start(request: Asking, reply: FastifyReply, kept: Kept): Promise<void> {
    const id = randomBytes(32).toString('base64url')
    const former = cookie.read(request)
    await vault.insert(id, kept, former)
    cookie.write(reply, id)
  }

  return {
    async progress(request, tenantId) {
      const found = await vault.find(cookie, request, tenantId)
      return found?.kept.progress ?? {}
    },
    async keepProgress(request, reply, tenantId, progress) {
      const found = await vault.find(cookie, request, tenantId)
      if (found?.kept.progress !== undefined) {
        return await vault.update(found.id, { ...found.kept, progress })
      }
      const now = clock.now().getTime()
      await start(request, reply, { tenantId, since: now, seen: now, progress })
    },
    async signIn(request, reply, { tenantId, userId, level }) {
      const now = clock.now().getTime()
      const user = { id: publicId('usr', userId), ...level }
      await start(request, reply, { tenantId, since: now, seen: now, user })
    },
    async signedIn(request, tenantId, kind) {
      const found = await vault.find(cookie, request, tenantId)
      const { user, since, seen, notice } = found?.kept ?? {}
      if (found === undefined || user === undefined || since === undefined) return undefined
      const userId = internalId('usr', user.id)
      if (userId === undefined) return undefined
      const person = await findActivePerson(databaseOver(pool), tenantId, userId)
      if (person?.kind !== kind) return undefined
      const now = clock.now().getTime()
      if (now - (seen ?? 0) > TOUCH_MS) await vault.update(found.id, { ...found.kept, seen: now })
      const { acr, amr } = user
      return { person, level: { acr, amr }, signedInAt: new Date(since), notice }
    },
    async note(request, tenantId, notice) {
      const found = await vault.find(cookie, request, tenantId)
      if (found === undefined) return
      const { notice: _former, ...rest } = found.kept
      await vault.update(found.id, notice === undefined ? rest : { ...rest, notice })
    },
    async signOut(request, reply) {
      const id = cookie.read(request)
      if (id !== undefined) await vault.remove(id)
      cookie.clear(reply)
    },
  }
}

/** The rows behind the cookies. */
function sessionVault({ pool, sealing, clock }: SessionParts) {
  function context(idHash: Buffer): string {
    return `identity.artifacts|payload|${SESSION_MODEL}|${idHash.toString('hex')}`
  }

  function rowOf(id: string, kept: Kept) {
    const idHash = hashOfId(id)
    const sealed = sealing.seal(Buffer.from(JSON.stringify(kept)), context(idHash))
    const payload = { sealed: sealed.toString('base64') }
    return { idHash, payload, expiresAt: new Date(endOf(kept)) }
  }

  return {
    async insert(id: string, kept: Kept, former: string | undefined): Promise<void> {
      const { tenantId, user } = kept
      const subjectHash = user === undefined ? null : hashOfId(user.id)
      const row = { ...rowOf(id, kept), tenantId, subjectHash }
      await inTransaction(pool, async (tx) => {
        if (former !== undefined) await deleteArtifact(tx, SESSION_MODEL, hashOfId(former))
        await insertSession(tx, row)
      })
    },
    async find(cookie: SessionCookie, request: Asking, tenantId: string) {
      const id = cookie.read(request)
      if (id === undefined) return undefined
      const idHash = hashOfId(id)
      const payload = await findSession(databaseOver(pool), idHash)
      if (payload === undefined) return undefined
      const bytes = sealing.open(Buffer.from(payload.sealed, 'base64'), context(idHash))
      const kept = JSON.parse(bytes.toString()) as Kept
      const lives = kept.tenantId === tenantId && clock.now().getTime() < endOf(kept)
      return lives ? { id, kept } : undefined
    },
    async update(id: string, kept: Kept): Promise<void> {
      await inTransaction(pool, (tx) => updateSession(tx, rowOf(id, kept)))
    },
    async remove(id: string): Promise<void> {
      await inTransaction(pool, (tx) => deleteArtifact(tx, SESSION_MODEL, hashOfId(id)))
    },
  }
}

function endOf({ since, seen, user }: Kept): number {
  if (user === undefined) return since + SIGN_IN_MS
  return Math.min(seen + IDLE_MS, since + LONGEST_MS)
}
