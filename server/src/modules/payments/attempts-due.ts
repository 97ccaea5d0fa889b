/**
 * The wake-up between a commit that makes attempts due and the worker of the same process. A hint:
 * a worker elsewhere, or after a crash, finds them by polling.
 */
const listeners = new Set<(tenantId: string) => void>()

export function attemptsAreDue(tenantId: string): void {
  for (const listener of listeners) listener(tenantId)
}

/** Hears that a tenant has due attempts; answers how to stop hearing. */
export function onAttemptsDue(listener: (tenantId: string) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
