import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { openSampleDoor, type Sample } from '../../../test/support/sample-door.ts'

/** What only a socket shows: broken HTTP, repeated header lines, hanging up, stopping. */

async function listening(t: TestContext): Promise<Sample & { port: number }> {
  const door = openSampleDoor()
  t.after(async () => {
    for (const end of door.slow) end()
    door.waiters.close()
    await door.http.close()
  })
  await door.http.listen({ port: 0, host: '127.0.0.1' })
  return { ...door, port: (door.http.server.address() as AddressInfo).port }
}

async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Sends the text and reads until the server closes, or an answer of its announced length is there. */
async function exchange(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  let answer = ''
  const deadline = AbortSignal.timeout(5_000)
  for await (const [chunk] of onData(socket, deadline)) {
    answer += String(chunk)
    const [head = '', body] = answer.split('\r\n\r\n')
    const length = /content-length: (\d+)/i.exec(head)?.[1]
    if (body !== undefined && Buffer.byteLength(body) >= Number(length)) break
  }
  return answer
}

async function* onData(socket: Socket, signal: AbortSignal): AsyncGenerator<[Buffer]> {
  while (!socket.readableEnded) {
    const next = await Promise.race([
      once(socket, 'data', { signal }),
      once(socket, 'end', { signal }),
    ])
    if (next.length === 0) return
    yield next as [Buffer]
  }
}

const AUTH = 'Host: x\r\nAuthorization: Bearer t\r\n'

// oxfmt-ignore
const broken: readonly (readonly [what: string, text: string, status: number, code: string])[] = [
  ['something else than HTTP',  'HELO there\r\n\r\n',                                          400, 'invalid_http'],
  ['a length and chunks',       `POST /orders HTTP/1.1\r\n${AUTH}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'invalid_http'],
  ['a length that is none',     `POST /orders HTTP/1.1\r\n${AUTH}Content-Length: 4x\r\n\r\nabcd`, 400, 'invalid_http'],
  ['headers above 16 KiB',      `GET /orders HTTP/1.1\r\n${AUTH}X: ${'x'.repeat(17_000)}\r\n\r\n`, 431, 'headers_too_large'],
]
for (const [what, text, status, code] of broken) {
  test(`${what} is answered by a problem, and the connection ends`, async (t) => {
    const { port } = await listening(t)
    const answer = await exchange(await open(t, port), text)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(answer, /content-type: application\/problem\+json/i)
    assert.match(answer, /connection: close/i)
    assert.match(answer, new RegExp(`"code":"${code}"`))
  })
}

test('two equal Idempotency-Key lines are refused, and nothing is submitted', async (t) => {
  const { port, submitted } = await listening(t)
  const body = '{"amount":100,"currency":"EUR"}'
  const head = `POST /orders HTTP/1.1\r\n${AUTH}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  const twice = `${head}Idempotency-Key: k1\r\nIdempotency-Key: k1\r\n\r\n${body}`
  assert.match(await exchange(await open(t, port), twice), /"code":"idempotency_key_invalid"/)
  assert.equal(submitted.length, 0)
  const quoted = `${head}Idempotency-Key: "k1,k1"\r\n\r\n${body}`
  assert.match(await exchange(await open(t, port), quoted), /^HTTP\/1\.1 201 /)
})

test('a POST waits as preferred, is woken by a commit, and gives its place back on hanging up', async (t) => {
  const { port, waiters } = await listening(t)
  const wait = `POST /orders/ord_1/wait HTTP/1.1\r\n${AUTH}Prefer: wait=10\r\nContent-Length: 0\r\n\r\n`
  const started = performance.now()
  const waiting = exchange(await open(t, port), wait)
  await sleep(100)
  waiters.wake(['ord_1'])
  const answer = await waiting
  assert.match(answer, /^HTTP\/1\.1 200 /)
  assert.match(answer, /preference-applied: wait=10/i)
  assert.match(answer, /"version":2/)
  const took = performance.now() - started
  assert.ok(took > 90 && took < 5_000, `${took} ms`)

  // A client has 20 places. Were one lost at each hanging up, the 21st would not wait.
  for (let round = 0; round < 25; round += 1) {
    const socket = await open(t, port)
    socket.write(wait)
    await sleep(10)
    socket.destroy()
  }
  await sleep(50)
  const again = exchange(await open(t, port), wait)
  await sleep(50)
  waiters.wake(['ord_1'])
  assert.match(await again, /preference-applied: wait=10/i)
})

test('stopping ends what was begun and refuses what arrives on an open connection', async (t) => {
  const { port, http, slow } = await listening(t)
  const [first, second] = [await open(t, port), await open(t, port)]
  const begun = exchange(first, `GET /slow HTTP/1.1\r\n${AUTH}\r\n`)
  // The second connection is in the middle of a request when the stop begins.
  second.write(`GET /orders/ord_1 HTTP/1.1\r\nHost: x\r\n`)
  while (slow.length === 0) await sleep(5)
  const closed = http.close()
  await sleep(50)
  const late = await exchange(second, 'Authorization: Bearer t\r\n\r\n')
  assert.match(late, /^HTTP\/1\.1 503 /)
  assert.match(late, /connection: close/i)
  assert.match(late, /"code":"shutting_down"/)
  for (const end of slow) end()
  assert.match(await begun, /^HTTP\/1\.1 200 /)
  await closed
})

test('slow clients and idle connections are bounded', async (t) => {
  const { http } = await listening(t)
  const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections, maxRequestsPerSocket } =
    http.server
  assert.deepEqual(
    { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections, maxRequestsPerSocket },
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 72_000,
      maxConnections: 5_000,
      maxRequestsPerSocket: 10_000,
    },
  )
})
