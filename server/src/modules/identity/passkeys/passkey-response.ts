import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { type TSchema, Type } from 'typebox'
import { Check } from 'typebox/value'
import type { RelyingParty } from './relying-party.ts'

/**
 * What a browser sends after it asked an authenticator, read and checked (WebAuthn Level 3 §7).
 * The library throws at whatever is wrong: none of it is more to us than "not accepted".
 */
export interface Read<Json> {
  readonly json: Json
  readonly credentialId: Buffer
  /** The challenge that it claims to answer. */
  readonly challenge: string
}

// Loaded when somebody first uses a passkey: it would take a tenth of every start.
const library = () => import('@simplewebauthn/server')

/** What an authenticator that signs in proved. */
export interface Proof {
  /** How often it says that its key was used. */
  readonly count: number
  /** Whether copies of the key may live on other devices of its owner. */
  readonly isSynced: boolean
}

/** What a new passkey is. */
export interface MadeKey extends Proof {
  readonly rpId: string
  readonly credentialId: Buffer
  /** COSE. */
  readonly publicKey: Buffer
  readonly transports: readonly string[]
}

/** ES256, EdDSA, and RS256 for Windows: numbers of the COSE registry, the preferred first. */
export const KEY_ALGORITHMS: readonly number[] = [-7, -8, -257]

export function readAssertion(text: string): Read<AuthenticationResponseJSON> | undefined {
  return read<AuthenticationResponseJSON>(text, AssertionJson)
}

export function readAttestation(text: string): Read<RegistrationResponseJSON> | undefined {
  return read<RegistrationResponseJSON>(text, AttestationJson)
}

/** Undefined: not signed by this key, for us, for this challenge, by a person whom it verified. */
export async function proofOf(
  { id, origin }: RelyingParty,
  { json, challenge }: Read<AuthenticationResponseJSON>,
  publicKey: Buffer,
): Promise<Proof | undefined> {
  const { verifyAuthenticationResponse } = await library()
  try {
    const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
      response: json,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: true,
      // The library would judge the count before the signature: only a signed one says something.
      credential: { id: json.id, publicKey: new Uint8Array(publicKey), counter: 0 },
    })
    if (!verified) return undefined
    return { count: info.newCounter, isSynced: info.credentialDeviceType === 'multiDevice' }
  } catch {
    return undefined
  }
}

/** Undefined: not made for us, for this challenge, by a person whom the authenticator verified. */
export async function madeKeyOf(
  { id, origin }: RelyingParty,
  { json, challenge, credentialId }: Read<RegistrationResponseJSON>,
): Promise<MadeKey | undefined> {
  const { verifyRegistrationResponse } = await library()
  try {
    const made = await verifyRegistrationResponse({
      response: json,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...KEY_ALGORITHMS],
    })
    if (!made.verified) return undefined
    const { credential, credentialDeviceType } = made.registrationInfo
    if (!credentialId.equals(Buffer.from(credential.id, 'base64url'))) return undefined
    return {
      rpId: id,
      credentialId,
      publicKey: Buffer.from(credential.publicKey),
      count: credential.counter,
      isSynced: credentialDeviceType === 'multiDevice',
      transports: credential.transports ?? [],
    }
  } catch {
    return undefined
  }
}

const Bytes = Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 16_000 })
const CredentialId = Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 1_364 }) // 1023 bytes
const credential = {
  id: CredentialId,
  rawId: CredentialId,
  type: Type.Literal('public-key'),
}
const AssertionJson = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: Bytes,
    authenticatorData: Bytes,
    signature: Bytes,
    userHandle: Type.Optional(Bytes),
  }),
})
const AttestationJson = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: Bytes,
    attestationObject: Bytes,
    transports: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z-]{1,20}$' }), { maxItems: 8 }),
    ),
  }),
})

function read<Json extends AuthenticationResponseJSON | RegistrationResponseJSON>(
  text: string,
  schema: TSchema,
): Read<Json> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    if (!Check(schema, json)) return undefined
    const answer = json as Json
    const { challenge, crossOrigin } = clientDataOf(answer)
    // No page of ours stands in a frame of somebody else's.
    if (typeof challenge !== 'string' || crossOrigin === true) return undefined
    return { json: answer, challenge, credentialId: Buffer.from(answer.id, 'base64url') }
  } catch {
    return undefined
  }
}

/** The client data (WebAuthn §5.8.1), which the signature covers. */
function clientDataOf({ response }: AuthenticationResponseJSON | RegistrationResponseJSON) {
  const text = Buffer.from(response.clientDataJSON, 'base64url').toString()
  return JSON.parse(text) as { readonly challenge?: unknown; readonly crossOrigin?: unknown }
}
