import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Sealing } from '../../platform/crypto/sealing.ts'
import type { Db } from '../../platform/db/types.ts'
import { hashOfId } from './artifact-id.ts'
import {
  type ArtifactRow,
  type SealedPayload,
  consumeArtifact,
  deleteArtifact,
  findArtifact,
  findArtifactByUid,
  upsertArtifact,
} from './artifact.queries.ts'

export interface ArtifactParts {
  readonly db: Db
  readonly sealing: Sealing
  /** Ends a grant with all that was issued under it. */
  readonly endGrant: (grantId: string) => Promise<void>
}

/**
 * Where the authorization server keeps codes, sessions and tokens that are not JWTs. A row is found
 * by the hash of its id, and its payload, which names ids and people, is sealed: who reads the table
 * holds nothing that can be used.
 *
 * `consume` is the race that matters. The library looks, checks, then consumes; only an update that
 * finds the row unconsumed makes one winner of several.
 */
export function artifactAdapter(model: string, { db, sealing, endGrant }: ArtifactParts): Adapter {
  function context(idHash: Buffer): string {
    return `identity.artifacts|payload|${model}|${idHash.toString('hex')}`
  }

  function stored(payload: AdapterPayload, idHash: Buffer): SealedPayload {
    const sealed = sealing.seal(Buffer.from(JSON.stringify(payload)), context(idHash))
    return { sealed: sealed.toString('base64') }
  }

  function restored(row: ArtifactRow | undefined): AdapterPayload | undefined {
    if (row === undefined) return undefined
    const { payload, id_hash: idHash, consumed_at: consumedAt } = row
    const bytes = sealing.open(Buffer.from(payload.sealed, 'base64'), context(idHash))
    const artifact = JSON.parse(bytes.toString()) as AdapterPayload
    if (consumedAt === null) return artifact
    return { ...artifact, consumed: Math.floor(consumedAt.getTime() / 1_000) }
  }

  return {
    async upsert(id, payload) {
      const idHash = hashOfId(id)
      const { uid, exp, clientId, accountId, grantId } = payload
      await upsertArtifact(db, {
        model,
        idHash,
        uidHash: uid === undefined ? null : hashOfId(uid),
        payload: stored(payload, idHash),
        clientId: clientId ?? null,
        subjectHash: accountId === undefined ? null : hashOfId(accountId),
        grantId: grantId ?? null,
        expiresAt: exp === undefined ? null : new Date(exp * 1_000),
      })
    },
    async find(id) {
      return restored(await findArtifact(db, model, hashOfId(id)))
    },
    async findByUid(uid) {
      return restored(await findArtifactByUid(db, model, hashOfId(uid)))
    },
    async findByUserCode() {
      return undefined // the device flow is off
    },
    async consume(id) {
      if (await consumeArtifact(db, model, hashOfId(id))) return
      if (model === 'PushedAuthorizationRequest') {
        throw new errors.InvalidRequestUri('request_uri was used before')
      }
      throw new errors.InvalidGrant('grant was used before')
    },
    async destroy(id) {
      if (model === 'Grant') await endGrant(id)
      else await deleteArtifact(db, model, hashOfId(id))
    },
    // The library calls this for each model beside the end of the grant, which takes them all at
    // once: two deletions of the same rows in different orders would deadlock.
    async revokeByGrantId() {},
  }
}
