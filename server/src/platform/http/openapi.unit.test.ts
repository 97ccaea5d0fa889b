import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { docsRoutes } from './docs-routes.ts'
import { healthRoutes, type ReadyCheck } from './health-routes.ts'
import { describeApi, type Documentation, platformErrors } from './openapi.ts'
import { ISSUER, openSampleDoor } from '../../../test/support/sample-door.ts'
import { refuseSample } from '../../../test/support/sample-routes.ts'

const documentation: Documentation = {
  issuer: ISSUER,
  errors: { ...platformErrors, ...refuseSample.table },
  authenticationErrors: ['caller_unknown'],
  scopes: { 'orders:write': 'Make orders' },
  webhooks: { 'order.completed': { post: { operationId: 'onOrderCompleted' } } },
}

function given(t: TestContext, checks: () => Promise<readonly ReadyCheck[]> = async () => []) {
  const { http } = openSampleDoor({ before: (app) => describeApi(app, documentation) })
  http.register(docsRoutes(documentation))
  http.register(healthRoutes(checks))
  t.after(() => http.close())
  return http
}

interface Operation {
  readonly operationId: string
  readonly security: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly required: boolean }[]
  readonly responses: Readonly<Record<string, { description: string; content?: object }>>
  readonly [extension: `x-${string}`]: unknown
}

test('the document says of an operation who may call it, what its key does and how it is refused', async (t) => {
  const http = given(t)
  const answer = await http.inject('/openapi.json')
  assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  const document = answer.json()
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(Object.keys(document.webhooks), ['order.completed'])
  const { tokenUrl, scopes } =
    document.components.securitySchemes.client_credentials.flows.clientCredentials
  assert.equal(tokenUrl, `${ISSUER}/oauth/token`)
  assert.deepEqual(scopes, { 'orders:write': 'Make orders' })
  assert.deepEqual(Object.keys(document.components.schemas).toSorted(), ['Order', 'Problem'])

  const create: Operation = document.paths['/orders'].post
  assert.equal(create.operationId, 'createOrder')
  assert.deepEqual(create.security, [{ client_credentials: ['orders:write'] }])
  assert.equal(create['x-required-scope'], 'orders:write')
  assert.equal(create['x-idempotency'], 'required')
  const key = create.parameters?.find(({ name }) => name === 'Idempotency-Key')
  assert.equal(key?.required, true)
  assert.deepEqual(Object.keys(create.responses), [
    '201',
    '400',
    '401',
    '403',
    '409',
    '413',
    '415',
    '422',
    '500',
    '503',
  ])
  assert.match(create.responses['422']?.description ?? '', /`order_exceeds_limit`/)
  assert.deepEqual(create.responses['401'], {
    description: '`caller_unknown`',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })

  const get: Operation = document.paths['/orders/{id}'].get
  assert.equal(get['x-idempotency'], undefined)
  assert.equal(get.responses['415'], undefined)
  const open = Object.values(document.paths as Record<string, Record<string, Operation>>)
  for (const operation of open.flatMap((path) => Object.values(path))) {
    assert.match(operation.operationId, /^[a-z]/)
  }
})

test('a union of literals is documented as an enum', async (t) => {
  const document = (await given(t).inject('/openapi.json')).json()
  const { schema } = document.paths['/orders'].post.requestBody.content['application/json']
  assert.deepEqual(schema.properties.capture, {
    type: 'string',
    enum: ['automatic', 'manual'],
    default: 'automatic',
  })
})

test('a route that names a code which is in no table cannot be documented', async (t) => {
  const { http } = openSampleDoor({
    before: (app) => describeApi(app, { ...documentation, errors: platformErrors }),
  })
  t.after(() => http.close())
  await http.ready()
  assert.throws(() => http.swagger(), /createOrder names the unknown error caller_unknown/)
})

test('the document is sent compressed, and not again to whoever has it', async (t) => {
  const http = given(t)
  const zipped = await http.inject({
    url: '/openapi.json',
    headers: { 'accept-encoding': 'gzip, br' },
  })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  const plain = await http.inject('/openapi.json')
  assert.equal(gunzipSync(zipped.rawPayload).toString(), plain.body)
  const etag = String(plain.headers['etag'])
  const again = await http.inject({ url: '/openapi.json', headers: { 'if-none-match': etag } })
  assert.equal(again.statusCode, 304)
})

test('the reference runs its own script only, asks nothing of other origins and opens only under /docs/', async (t) => {
  const http = given(t)
  assert.equal((await http.inject('/docs')).headers['location'], '/docs/')
  const page = await http.inject('/docs/')
  const inline = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? ''
  const hash = createHash('sha256').update(inline).digest('base64')
  const policy = String(page.headers['content-security-policy'])
  assert.ok(policy.includes(`script-src 'self' 'sha256-${hash}';`))
  assert.ok(policy.startsWith("default-src 'none';"))
  assert.doesNotMatch(policy, /https?:|script-src[^;]*unsafe/)
  assert.doesNotMatch(page.body, /https?:\/\//)
  const script = await http.inject({
    url: '/docs/js/scalar.js',
    headers: { 'accept-encoding': 'gzip' },
  })
  assert.equal(script.statusCode, 200)
  assert.ok(script.rawPayload.length < 2_000_000)
})

test('each error code has a page for people and one for programs', async (t) => {
  const http = given(t)
  for (const [code, { title }] of Object.entries(documentation.errors)) {
    const forPrograms = await http.inject(`/docs/errors/${code}`)
    assert.deepEqual(forPrograms.json(), { code, ...documentation.errors[code] })
    const forPeople = await http.inject({
      url: `/docs/errors/${code}`,
      headers: { accept: 'text/html' },
    })
    assert.equal(forPeople.headers['content-type'], 'text/html; charset=utf-8')
    assert.ok(forPeople.body.includes(title.replaceAll('"', '&quot;')), code)
  }
  for (const code of ['nothing', 'constructor', '__proto__', '%3Cscript%3E']) {
    assert.equal((await http.inject(`/docs/errors/${code}`)).statusCode, 404)
  }
  const index = await http.inject({ url: '/docs/errors', headers: { accept: 'text/html' } })
  assert.match(index.body, /idempotency_key_reused/)
})

test('health is always well; readiness is what the checks say, asked at most once a second', async (t) => {
  let asked = 0
  let ok = true
  const http = given(t, async () => {
    asked += 1
    return [{ name: 'database', ok, detail: ok ? 'answers' : 'gone' }]
  })
  assert.deepEqual((await http.inject('/healthz')).json(), { status: 'ok' })
  const ready = await Promise.all([
    http.inject('/readyz'),
    http.inject('/readyz'),
    http.inject('/readyz'),
  ])
  assert.deepEqual(
    ready.map(({ statusCode }) => statusCode),
    [200, 200, 200],
  )
  assert.equal(asked, 1)
  ok = false
  assert.equal((await http.inject('/readyz')).statusCode, 200) // kept
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  const answer = await http.inject('/readyz')
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.json().code, 'not_ready')
  assert.deepEqual(answer.json().checks, [{ name: 'database', ok: false, detail: 'gone' }])
  assert.equal((await http.inject('/healthz')).statusCode, 200)
})

test('checks that fail or do not answer mean not ready', async (t) => {
  const alive = setInterval(() => undefined, 1_000) // nothing else here keeps the process waiting
  t.after(() => clearInterval(alive))
  const failing = given(t, () =>
    Promise.reject(new Error('password authentication failed for 10.0.0.7')),
  )
  const answer = await failing.inject('/readyz')
  assert.equal(answer.statusCode, 503)
  assert.doesNotMatch(answer.body, /10\.0\.0\.7/)
  const hanging = given(t, () => new Promise(() => undefined))
  assert.equal((await hanging.inject('/readyz')).statusCode, 503)
})
