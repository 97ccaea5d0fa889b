import { elapsed } from '../clock.ts'
import type { FastifyReply } from 'fastify'

/**
 * Answers 503 for handlers that take too long. What they do goes on: the answer means unknown.
 *
 * One timer looks at the oldest once a second. Fastify's own `handlerTimeout` starts a timer, an
 * abort controller and two listeners per request, which costs more than routing it (3 of 14 µs).
 */

const CHECK_MS = 1_000

export interface HandlerDeadline {
  begin(reply: FastifyReply): void
  end(reply: FastifyReply): void
  stop(): void
}

export function createHandlerDeadline(
  limitMs: number,
  onLate: (reply: FastifyReply) => void,
  now: () => number = elapsed,
): HandlerDeadline {
  const begun = new Map<FastifyReply, number>() // in order of arrival: the first is the oldest
  const timer = setInterval(check, CHECK_MS)
  timer.unref()

  function check(): void {
    const latest = now() - limitMs
    for (const [reply, since] of begun) {
      if (since > latest) return
      begun.delete(reply)
      if (!reply.sent) onLate(reply)
    }
  }

  return {
    begin: (reply) => void begun.set(reply, now()),
    end: (reply) => void begun.delete(reply),
    stop: () => clearInterval(timer),
  }
}
