import assert from 'node:assert/strict'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createAddressRule } from './egress-addresses.ts'
import { type Egress, EgressFailed, fetchThrough, openEgress } from './egress.ts'

let server: Server
let port: number
const asked: string[] = []
const closed = openEgress({ allow: [], loopback: false })
const open = openEgress({ allow: [], loopback: true })

before(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/redirect') {
      response.writeHead(302, { location: '/secret' }).end()
    } else if (request.url === '/long') {
      response.end('x'.repeat(70_000))
    } else {
      response.setHeader('content-type', 'application/json').end('{"keys":[]}')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
after(async () => {
  await Promise.all([closed.close(), open.close()])
  server.close()
})

async function faultOf(egress: Egress, url: string): Promise<string> {
  try {
    await egress.send({ url, method: 'GET' })
  } catch (error) {
    assert.ok(error instanceof EgressFailed)
    return error.fault
  }
  return 'none'
}

test('no spelling of our own network can be reached', async () => {
  const hosts = [
    '127.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '127.0.0.1.',
    'localhost',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '198.18.0.1',
    '240.0.0.1',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[2001::7f00:1]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[fc00::1]',
  ]
  for (const host of hosts) {
    assert.equal(await faultOf(closed, `https://${host}/`), 'blocked', host)
    assert.equal(await faultOf(closed, `https://${host}:8443/`), 'blocked', host)
  }
})

test('only https, its ports and no credentials leave the house', async () => {
  for (const url of [
    'http://example.com/',
    'https://example.com:22/',
    'https://user:word@example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'nonsense',
  ]) {
    assert.equal(await faultOf(closed, url), 'blocked', url)
  }
})

test("a developer's install reaches its own machine, and never a cloud's credentials", async () => {
  const answer = await open.send({ url: `http://127.0.0.1:${port}/jwks`, method: 'GET' })
  assert.deepEqual([answer.status, answer.body.toString()], [200, '{"keys":[]}'])
  assert.equal(await faultOf(open, `http://localhost:${port}/jwks`), 'none')
  for (const host of ['169.254.169.254', '[fd00:ec2::254]', '10.0.0.1', '0.0.0.0']) {
    assert.equal(await faultOf(open, `https://${host}/`), 'blocked', host)
  }
})

test('a network of ours is reached where it was named, and its metadata address is not', () => {
  const mayReach = createAddressRule({ allow: ['10.1.0.0/16', '169.254.0.0/16'], loopback: false })
  assert.equal(mayReach('10.1.2.3'), true)
  assert.equal(mayReach('::ffff:10.1.2.3'), true)
  assert.equal(mayReach('10.2.0.1'), false)
  assert.equal(mayReach('169.254.169.254'), false)
  assert.equal(mayReach('8.8.8.8') && mayReach('2606:4700::1111'), true)
  assert.equal(mayReach('not an address'), false)
})

test('a redirect is an answer and is not followed', async () => {
  asked.length = 0
  const response = await fetchThrough(open)(`http://127.0.0.1:${port}/redirect`)
  assert.equal(response.status, 302)
  assert.deepEqual(asked, ['/redirect'])
})

test('a long answer is cut off', async () => {
  assert.equal(await faultOf(open, `http://127.0.0.1:${port}/long`), 'too_long')
})

test('whoever does not listen is told from whoever may not be asked', async () => {
  assert.equal(await faultOf(open, 'http://127.0.0.1:1/'), 'refused')
})

test('a caller that gives up ends the exchange', async () => {
  const signal = AbortSignal.abort()
  const sent = open.send({ url: `http://127.0.0.1:${port}/`, method: 'GET', signal })
  await assert.rejects(sent, { fault: 'timeout' })
})

test('a fetch for libraries reads as the library expects', async () => {
  const response = await fetchThrough(open)(`http://127.0.0.1:${port}/jwks`)
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.deepEqual(await response.json(), { keys: [] })
})
