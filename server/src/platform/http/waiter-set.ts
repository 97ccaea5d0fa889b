/** Everybody who waits, by the object waited for, with a count per client. */
export interface WaiterSet<Waiter> {
  readonly count: number
  /** How many waits of this client there are. */
  countOf(clientId: string): number
  add(waiter: Waiter): void
  /** False when it was not there any more. */
  remove(waiter: Waiter): boolean
  /** Copies, here and below: ending a wait removes it from the set that is walked. */
  all(): Waiter[]
  of(objectId: string): Waiter[]
  /** One waiter for each object. */
  onePerObject(): Waiter[]
}

export function createWaiterSet<
  Waiter extends { readonly objectId: string; readonly clientId: string },
>(): WaiterSet<Waiter> {
  const byObject = new Map<string, Set<Waiter>>()
  const perClient = new Map<string, number>()
  let count = 0

  return {
    get count() {
      return count
    },
    countOf: (clientId) => perClient.get(clientId) ?? 0,
    add(waiter) {
      const { objectId, clientId } = waiter
      const others = byObject.get(objectId)
      if (others === undefined) byObject.set(objectId, new Set([waiter]))
      else others.add(waiter)
      perClient.set(clientId, (perClient.get(clientId) ?? 0) + 1)
      count += 1
    },
    remove(waiter) {
      const { objectId, clientId } = waiter
      const others = byObject.get(objectId)
      if (others?.delete(waiter) !== true) return false
      if (others.size === 0) byObject.delete(objectId)
      const left = (perClient.get(clientId) ?? 1) - 1
      if (left === 0) perClient.delete(clientId)
      else perClient.set(clientId, left)
      count -= 1
      return true
    },
    all: () => [...byObject.values()].flatMap((set) => [...set]),
    of: (objectId) => [...(byObject.get(objectId) ?? [])],
    onePerObject: () => [...byObject.values()].map(([waiter]) => waiter as Waiter),
  }
}
