import type { Command } from '../command.ts'
import type { Item } from './item.ts'

/**
 * What waits, in a lane per command, and per tenant where a command does not mix them. Lanes take
 * turns, so that one command's flood, or one tenant's, delays another by a batch and no more.
 */
export interface Lanes {
  /** Items waiting. */
  readonly count: number
  /** How much of a batch they would take up together. */
  readonly weight: number
  add(command: AnyCommand, item: AnyItem): void
  /** The next batch: items of one lane, oldest first. To be called only when something waits. */
  take(): { readonly command: AnyCommand; readonly items: AnyItem[] }
  /** Arrival of the first item of the next lane, in monotonic milliseconds. */
  nextSince(): number | undefined
}

type AnyCommand = Command<never, unknown, unknown>
type AnyItem = Item<never, unknown>

interface Lane {
  readonly command: AnyCommand
  readonly items: AnyItem[]
}

// More: the locks are held longer and the planner leaves the indexes. Fewer: more commits per item.
const MAX_WEIGHT = 500

export function createLanes(): Lanes {
  const lanes = new Map<string, Lane>()
  let count = 0
  let weight = 0

  return {
    get count() {
      return count
    },
    get weight() {
      return weight
    },
    add(command, item) {
      const name = laneOf(command, item)
      const lane = lanes.get(name)
      if (lane === undefined) lanes.set(name, { command, items: [item] })
      else lane.items.push(item)
      count += 1
      weight += item.weight
    },
    take() {
      const [name, lane] = lanes.entries().next().value as [string, Lane]
      const items = splitOff(lane.items)
      lanes.delete(name)
      if (lane.items.length > 0) lanes.set(name, lane) // to the back of the queue
      count -= items.length
      for (const item of items) weight -= item.weight
      return { command: lane.command, items }
    },
    nextSince: () => lanes.values().next().value?.items[0]?.since,
  }
}

function laneOf({ name, mixesTenants }: AnyCommand, { request }: AnyItem): string {
  return mixesTenants === true ? name : `${name} ${request.tenantId}`
}

/** Takes what fits into one batch off the front; at least one item, however heavy. */
function splitOff(items: AnyItem[]): AnyItem[] {
  let weight = 0
  let count = 0
  for (const item of items) {
    if (count > 0 && weight + item.weight > MAX_WEIGHT) break
    weight += item.weight
    count += 1
  }
  return items.splice(0, count)
}
