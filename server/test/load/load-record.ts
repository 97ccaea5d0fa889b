import { writeFileSync } from 'node:fs'
import type { Latency, Totals, Window } from './load.ts'

/** What a driver of load remembers: each latency since the last mark, and every acknowledgement. */
export interface LoadRecord {
  sent(): void
  lost(): void
  /** The first problem is kept, to be shown. */
  problem(text: string): void
  answered(status: number, millis: number): void
  /** Adds bytes to the journal of what was acknowledged, and one byte after them. */
  journal(bytes: Buffer, start: number, end: number, then: number): void
  mark(): Window
  /** Writes the journal. */
  close(): Totals
}

export function openRecord(journalFile: string): LoadRecord {
  const statuses: Record<string, number> = {}
  const totals = { sent: 0, lost: 0, firstProblem: null as string | null }
  let micros = new Uint32Array(1 << 16)
  let count = 0
  let journal = Buffer.allocUnsafe(1 << 20)
  let used = 0
  let from = Date.now()
  let cpuFrom = process.cpuUsage()
  return {
    sent() {
      totals.sent += 1
    },
    lost() {
      totals.lost += 1
    },
    problem(text) {
      totals.firstProblem ??= text
    },
    answered(status, millis) {
      statuses[status] = (statuses[status] ?? 0) + 1
      if (count === micros.length) {
        const larger = new Uint32Array(count * 2)
        larger.set(micros)
        micros = larger
      }
      micros[count] = millis * 1_000
      count += 1
    },
    journal(bytes, start, end, then) {
      if (used + end - start + 1 > journal.length) {
        journal = Buffer.concat([journal], journal.length * 2)
      }
      used += bytes.copy(journal, used, start, end)
      journal[used] = then
      used += 1
    },
    mark() {
      const to = Date.now()
      const { user, system } = process.cpuUsage(cpuFrom)
      const latency = latencyOf(micros.subarray(0, count).toSorted())
      const window = { from, to, answered: count, latency, cpuMicros: user + system }
      count = 0
      from = Date.now()
      cpuFrom = process.cpuUsage()
      return window
    },
    close() {
      writeFileSync(journalFile, journal.subarray(0, used))
      return { ...totals, statuses }
    },
  }
}

function latencyOf(sortedMicros: Uint32Array): Latency {
  const at = (share: number) => {
    const index = Math.min(sortedMicros.length - 1, Math.floor(sortedMicros.length * share))
    return (sortedMicros[index] ?? 0) / 1_000
  }
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}
