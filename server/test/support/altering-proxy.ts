import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext } from 'node:test'

/** Changes a text answer on its way back. */
export type Alter = (asked: { method: string; path: string }, text: string) => string

/** A server in front of the one at `origin`, which answers as that one does but for `alter`. */
export async function startAlteringProxy(
  t: TestContext,
  origin: string,
  alter: Alter,
): Promise<string> {
  const server = createServer((request, response) => {
    forward(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const passed = Object.entries(headers).filter(([name]) => !OF_THE_CONNECTION.has(name))
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: passed.map(([name, value]) => [name, String(value)] as [string, string]),
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    })
    const text = alter({ method, path }, await answer.text())
    const kept = [...answer.headers].filter(([name]) => !OF_THE_BODY.has(name))
    response.writeHead(answer.status, Object.fromEntries(kept)).end(text)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const OF_THE_CONNECTION = new Set(['host', 'connection', 'content-length', 'accept-encoding'])
const OF_THE_BODY = new Set([
  'connection',
  'keep-alive',
  'content-length',
  'content-encoding',
  'transfer-encoding',
])
