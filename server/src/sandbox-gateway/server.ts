import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { openFaults } from './faults.ts'
import { FaultBody, JournalQuery, KeyQuery, OperationBody, SettingsBody } from './gateway.schema.ts'
import type { JournalEntry, Settings } from './gateway.schema.ts'
import { openJournal, type Journal } from './journal.ts'
import { openOperations, pause, type Operations, type Reply } from './operations.ts'

/**
 * The sandbox gateway: a card gateway that moves no real money, over real HTTP, in a process of its
 * own, with a memory of its own. It shares nothing with the service but the table of test cards.
 *
 * An operation goes: fault on its way, known key (the first answer again), latency, judgement,
 * journal line, fsync, answer. After the fsync a fault or a test card may still swallow the reply:
 * then the money has moved, and an inquiry says so.
 */
interface SandboxGatewayOptions {
  /** 0 picks a free one. */
  readonly port: number
  readonly host: string
  /** Where `journal.ndjson` lives; made when missing. One gateway per folder. */
  readonly journalDir: string
  readonly settings?: Partial<Settings>
  readonly log?: (line: string) => void
}

interface SandboxGateway {
  readonly port: number
  close(): Promise<void>
}

interface Parts {
  readonly journal: Journal<JournalEntry>
  readonly operations: Operations
  readonly settings: Settings
}

const DEFAULTS: Settings = {
  latency_ms: [5, 25], // a poller still sees `pending`, and a payment completes well under 2 s
  settle_ms: 1000,
  swallow: 'cut',
}
const BODY_LIMIT = 16_384 // bytes; the largest operation is a tenth of it
const PAGE = 1000 // journal lines

/** Rejects when the port is taken (`EADDRINUSE`) or the journal is damaged or cannot be written. */
export async function startSandboxGateway(options: SandboxGatewayOptions): Promise<SandboxGateway> {
  const { port, host, journalDir, log = () => undefined } = options
  const settings: Settings = { ...DEFAULTS, ...options.settings }
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true, // a swallowed reply may hang on an open connection
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'no_such_endpoint' }))

  // The port is taken before the journal is touched: a second gateway on the same port stops here
  // and cuts nothing off the file that the first is writing. Requests wait until it is read.
  const parts = Promise.withResolvers<Parts>()
  parts.promise.catch(() => undefined) // thrown below
  await app.register(gatewayRoutes(parts.promise))
  await app.listen({ port, host })
  try {
    const journal = await openJournal<JournalEntry>(journalDir)
    parts.resolve({ journal, settings, operations: openOperations(journal, settings, log) })
  } catch (error) {
    parts.reject(error)
    await app.close()
    throw error
  }
  const { journal } = await parts.promise
  const { port: taken } = app.server.address() as { port: number }
  log(`sandbox gateway on http://${host}:${taken}, ${journal.durable} journal lines`)
  return {
    port: taken,
    async close() {
      await app.close()
      await journal.close()
    },
  }
}

function gatewayRoutes(parts: Promise<Parts>): FastifyPluginAsyncTypebox {
  const faults = openFaults()
  return async (app) => {
    app.post('/operations', { schema: { body: OperationBody } }, async (request, reply) => {
      const { operations, settings } = await parts
      const { body } = request
      const flaw = flawOf(body)
      if (flaw !== undefined) return refuseRequest(reply, flaw)
      const order = faults.take(body)
      const fault = order?.fault
      if (fault === 'delay') await pause(order?.ms ?? 0)
      if (fault === 'cut_before') return swallow(request, reply, settings)
      if (fault === 'refuse') return say(reply, { kind: 'not_processed' })
      if (fault === 'http_429') {
        return reply.code(429).header('retry-after', '1').send({ error: 'too_many_requests' })
      }
      const said = await operations.perform(body, { wrongAmount: fault === 'wrong_amount' })
      if (said.kind === 'swallowed' || fault === 'drop_reply') {
        return swallow(request, reply, settings)
      }
      if (fault === 'http_500') {
        return reply.code(500).type('text/html').send('<h1>Internal Server Error</h1>')
      }
      return say(reply, said)
    })

    app.get('/operations', { schema: { querystring: KeyQuery } }, async (request, reply) => {
      const { operations } = await parts
      return say(reply, operations.inquire(request.query.key))
    })

    app.get('/journal', { schema: { querystring: JournalQuery } }, async (request) => {
      const { journal } = await parts
      const after = Number(request.query.after ?? 0)
      const last = Math.min(after + Number(request.query.limit ?? PAGE), journal.durable)
      return { entries: journal.entries.slice(after, last), has_more: last < journal.durable }
    })

    app.post('/faults', { schema: { body: FaultBody } }, async (request, reply) => {
      faults.order(request.body)
      return reply.code(201).send(request.body)
    })

    app.delete('/faults', async (_request, reply) => {
      faults.clear()
      return reply.code(204).send()
    })

    app.put('/settings', { schema: { body: SettingsBody } }, async (request, reply) => {
      const { settings } = await parts
      const [shortest, longest] = request.body.latency_ms ?? settings.latency_ms
      if (shortest > longest) return refuseRequest(reply, 'latency_ms: the shortest comes first')
      return Object.assign(settings, request.body)
    })

    app.get('/healthz', async (_request, reply) => {
      const { journal } = await parts
      const { durable, syncs, failed } = journal
      const status = failed ? 'journal_failed' : 'ok'
      return reply.code(failed ? 503 : 200).send({ status, entries: durable, syncs })
    })
  }
}

/** What the schema cannot say: who needs an instrument and who a parent. */
function flawOf({ operation, instrument, parent, final }: OperationBody): string | undefined {
  const first = operation === 'sale' || operation === 'authorize'
  if (first && instrument === undefined) return `${operation} needs an instrument`
  if (first && parent !== undefined) return `${operation} has no parent`
  if (!first && parent === undefined) return `${operation} needs a parent`
  if (!first && instrument !== undefined) return `${operation} uses its parent's instrument`
  if (operation !== 'capture' && final !== undefined) return 'only a capture is final'
  return undefined
}

function say(reply: FastifyReply, said: Exclude<Reply, { kind: 'swallowed' }>): FastifyReply {
  switch (said.kind) {
    case 'answer':
      return reply.send(said.answer)
    case 'not_processed': // the one 503 that proves something: nothing was done, nothing will be
    case 'no_answer':
      return reply.code(503).send({ error: said.kind })
    case 'key_in_flight':
      return reply.code(409).send({ error: said.kind })
    case 'key_reused':
      return reply.code(422).send({ error: said.kind })
    case 'not_found':
      return reply.code(404).send({ error: 'operation_not_found' })
  }
}

/** The client hears nothing: its connection is cut, or stays open without a word. */
function swallow(request: FastifyRequest, reply: FastifyReply, { swallow: how }: Settings) {
  reply.hijack()
  if (how === 'cut') request.raw.socket.destroy()
  return reply
}

function refuseRequest(reply: FastifyReply, message: string): FastifyReply {
  return reply.code(400).send({ error: 'invalid_request', message })
}

function answerError(error: unknown, reply: FastifyReply, log: (line: string) => void) {
  const { statusCode = 500, message } = error as { statusCode?: number; message: string }
  if (statusCode < 500) return reply.code(statusCode).send({ error: 'invalid_request', message })
  log(`error: ${message}`)
  return reply.code(500).send({ error: 'internal_error' })
}
