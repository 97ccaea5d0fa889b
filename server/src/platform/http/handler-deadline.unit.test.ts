import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { createHandlerDeadline } from './handler-deadline.ts'

test('only handlers that are late and have not answered are given up, the oldest first', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let time = 0
  const late: unknown[] = []
  const deadline = createHandlerDeadline(
    2_500,
    (reply) => late.push(reply),
    () => time,
  )
  const [oldest, answered, done, young] = [{}, { sent: true }, {}, {}] as FastifyReply[]
  deadline.begin(oldest as FastifyReply)
  deadline.begin(answered as FastifyReply)
  deadline.begin(done as FastifyReply)
  deadline.end(done as FastifyReply)
  time = 1_000
  deadline.begin(young as FastifyReply)
  time = 2_000
  t.mock.timers.tick(1_000)
  assert.deepEqual(late, [])
  time = 3_000
  t.mock.timers.tick(1_000)
  assert.deepEqual(late, [oldest])
  time = 4_000
  t.mock.timers.tick(1_000)
  assert.deepEqual(late, [oldest, young])
  deadline.stop()
})
