import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type {
  FaultBody,
  JournalEntry,
  OperationBody,
  Settings,
} from '../../src/sandbox-gateway/gateway.schema.ts'
import { startSandboxGateway } from '../../src/sandbox-gateway/server.ts'

/** What a test says to a gateway, and what it finds in the gateway's journal afterwards. */
export interface TestClient {
  post(body: Partial<OperationBody>): Promise<Heard>
  inquire(key: string): Promise<Heard>
  fault(fault: FaultBody): Promise<void>
  set(settings: Partial<Settings>): Promise<void>
  journal(): Promise<JournalEntry[]>
  /** The keys of operations that moved money, in order. */
  moved(): Promise<string[]>
}

/** `status` 0: the connection broke without an answer. */
export interface Heard {
  readonly status: number
  readonly body: Record<string, unknown>
}

export function clientOf(port: number): TestClient {
  const origin = `http://127.0.0.1:${port}`
  const client: TestClient = {
    post: (body) => hear(fetch(`${origin}/operations`, json('POST', body))),
    inquire: (key) => hear(fetch(`${origin}/operations?key=${encodeURIComponent(key)}`)),
    fault: (fault) => expectOk(fetch(`${origin}/faults`, json('POST', fault))),
    set: (settings) => expectOk(fetch(`${origin}/settings`, json('PUT', settings))),
    async journal() {
      const entries: JournalEntry[] = []
      for (let more = true; more;) {
        const reply = await fetch(`${origin}/journal?after=${entries.length}`)
        const page = (await reply.json()) as { entries: JournalEntry[]; has_more: boolean }
        entries.push(...page.entries)
        more = page.has_more
      }
      return entries
    },
    async moved() {
      const entries = await client.journal()
      return entries.flatMap((entry) =>
        entry.kind === 'operation' && entry.status !== 'declined' ? [entry.key] : [],
      )
    },
  }
  return client
}

/** A gateway in this process, without latency, on an empty journal; gone when the test ends. */
export async function givenGateway(t: TestContext, settings: Partial<Settings> = {}) {
  const folder = await givenFolder(t)
  const gateway = await startSandboxGateway({
    port: 0,
    host: '127.0.0.1',
    journalDir: folder,
    settings: { latency_ms: [0, 0], settle_ms: 50, ...settings },
  })
  t.after(() => gateway.close())
  const { port } = gateway
  return { port, folder, client: clientOf(port) }
}

export async function givenFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'countinghouse-gateway-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function json(method: string, body: unknown): RequestInit {
  const headers = { 'content-type': 'application/json' }
  return { method, headers, body: JSON.stringify(body) }
}

async function hear(asked: Promise<Response>): Promise<Heard> {
  try {
    const reply = await asked
    const text = await reply.text()
    const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true
    return { status: reply.status, body: isJson ? JSON.parse(text) : { text } }
  } catch {
    return { status: 0, body: {} }
  }
}

async function expectOk(asked: Promise<Response>): Promise<void> {
  const reply = await asked
  if (!reply.ok) throw new Error(`The gateway said ${reply.status}: ${await reply.text()}`)
}
