import { generateKeyPairSync } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { createGuard } from '../../src/modules/identity/guard/guard.ts'
import { systemClock } from '../../src/platform/clock.ts'

/** How often a token is let in, by one thread: remembered, or with its signature checked each time. */
export interface GuardRun {
  readonly from: number
  readonly to: number
  readonly units: number
  readonly cpuMicros: number
}

const ISSUER = 'http://127.0.0.1'
const BURST = 256 // between looks at the clock, which would cost as much as a hit

export async function runGuard(cached: boolean, ms: number): Promise<GuardRun> {
  const { guard, token } = await givenGuard()
  const request = {
    raw: { rawHeaders: ['Host', '127.0.0.1', 'Authorization', `Bearer ${token}`] },
    method: 'POST',
    url: '/payments',
    query: {},
    ip: '127.0.0.1',
  }
  await guard.authenticate(request)
  const cpu = process.cpuUsage()
  const from = Date.now()
  let units = 0
  while (Date.now() - from < ms) {
    for (let n = 0; n < BURST; n += 1) {
      if (cached) void guard.authenticate(request)
      else await guard.inspect(token)
    }
    units += BURST
    await turn()
  }
  const { user, system } = process.cpuUsage(cpu)
  return { from, to: Date.now(), units, cpuMicros: user + system }
}

async function givenGuard() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const verifier = await crypto.subtle.importKey(
    'jwk',
    publicKey.export({ format: 'jwk' }),
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['verify'],
  )
  const now = Math.floor(Date.now() / 1_000)
  const token = await new SignJWT({
    iss: ISSUER,
    aud: 'urn:countinghouse:api',
    sub: 'cli_bench',
    client_id: 'cli_bench',
    iat: now,
    exp: now + 900,
    jti: 'bench',
    scope: 'payments:read payments:write',
    tid: '01900000-0000-7000-8000-000000000001',
    env: 'sandbox',
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
    .sign(privateKey)
  const guard = createGuard({
    issuer: ISSUER,
    clock: systemClock,
    keys: { verifier: () => Promise.resolve(verifier), knows: () => true },
    clientKind: () => Promise.resolve(undefined),
    revocations: {
      version: () => 1,
      isFresh: () => true,
      freshen: () => Promise.resolve(),
      hasEnded: () => false,
    },
    proofs: { isNew: () => Promise.resolve(true) },
  })
  return { guard, token }
}
