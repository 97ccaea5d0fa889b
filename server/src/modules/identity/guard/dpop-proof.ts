import { hash } from 'node:crypto'
import { type CryptoKey, type JWK, decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { holdsPrivatePart } from '../private-key-members.ts'
import type { ProofRegister } from './proof-register.ts'
import { PROOF_ALGS, proofRefused } from './token-challenges.ts'

/** What a proof (RFC 9449) is held against. */
export interface ProvenRequest {
  readonly method: string
  /** Path, with the query or without. */
  readonly url: string
  readonly proof: string
  readonly token: string
  /** Thumbprint of the key that the token is bound to. */
  readonly jkt: string
  readonly now: Date
}

const MAX_AGE_S = 60
const TOLERANCE_S = 15
const MAX_PROOF_CHARS = 4_096
const MAX_JTI_CHARS = 256
const CACHE_KEYS = 10_000

/** Throws `ApiError` 401 unless the proof is of this request, of this token's key, new and unused. */
export function createProofCheck(issuer: string, register: ProofRegister) {
  const keys = new LRUCache<string, CryptoKey>({ max: CACHE_KEYS })

  async function keyOf(jwk: JWK | undefined, alg: string, jkt: string): Promise<CryptoKey> {
    if (jwk === undefined || thumbprintOf(jwk) !== jkt) {
      throw proofRefused('it is signed by another key than the token is bound to')
    }
    if (holdsPrivatePart(jwk)) throw proofRefused('it holds a private key')
    const name = `${alg} ${jkt}`
    const known = keys.get(name)
    if (known !== undefined) return known
    const key = await importJWK({ ...publicMembers(jwk), alg }, alg)
    if (key instanceof Uint8Array) throw proofRefused('its key is no public key')
    keys.set(name, key)
    return key
  }

  return async function check(request: ProvenRequest): Promise<void> {
    const { proof, jkt, token, now } = request
    if (proof.length > MAX_PROOF_CHARS) throw proofRefused('it is too long')
    const claims = await verified()
    const nowS = now.getTime() / 1_000
    const { jti, iat, htm, htu, ath } = claims
    if (htm !== request.method) throw proofRefused('its htm is another method')
    if (!isSameTarget(htu, issuer, request.url)) throw proofRefused('its htu is another address')
    if (ath !== hash('sha256', token, 'base64url')) throw proofRefused('its ath is another token')
    if (iat === undefined || Math.abs(nowS - iat) > MAX_AGE_S) {
      throw proofRefused('its iat is not recent')
    }
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARS) {
      throw proofRefused('its jti is missing or too long')
    }
    const id = hash('sha256', JSON.stringify(['dpop', jkt, jti]), 'hex')
    const isNew = await register.isNew(id, new Date((iat + MAX_AGE_S) * 1_000))
    if (!isNew) throw proofRefused('it was used before')

    async function verified() {
      try {
        const { alg = '', jwk } = decodeProtectedHeader(proof)
        if (!PROOF_ALGS.includes(alg)) throw proofRefused('its alg is not allowed')
        const key = await keyOf(jwk, alg, jkt)
        const { payload } = await jwtVerify(proof, key, {
          algorithms: [alg],
          typ: 'dpop+jwt',
          clockTolerance: TOLERANCE_S,
          currentDate: now,
        })
        return payload
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw proofRefused('it has expired')
        if (error instanceof errors.JWTClaimValidationFailed) {
          throw proofRefused(`its ${error.claim} is wrong`)
        }
        if (error instanceof errors.JOSEError) throw proofRefused('it is malformed or forged')
        if (error instanceof TypeError || error instanceof DOMException) {
          throw proofRefused('it is malformed')
        }
        throw error
      }
    }
  }
}

/** RFC 9449 §4.3: without query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3. */
function isSameTarget(htu: unknown, issuer: string, url: string): boolean {
  const named = typeof htu === 'string' ? URL.parse(htu) : null
  const asked = URL.parse(url, issuer)
  if (named === null || asked === null) return false
  return named.origin === new URL(issuer).origin && named.pathname === asked.pathname
}

/** RFC 7638: the members that make the key, in the order of their names. */
function thumbprintOf(jwk: JWK): string {
  return hash('sha256', JSON.stringify(publicMembers(jwk)), 'base64url')
}

function publicMembers({ kty, crv, x, y }: JWK): JWK {
  return kty === 'EC'
    ? { crv: crv ?? '', kty, x: x ?? '', y: y ?? '' }
    : { crv: crv ?? '', kty: kty ?? '', x: x ?? '' }
}
