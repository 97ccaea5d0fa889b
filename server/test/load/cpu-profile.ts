import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the time of a process went, from the samples of `--cpu-prof`. */

interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** Microseconds of the monotonic clock. */
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
}

/** From and to, in microseconds of the monotonic clock: only what was measured counts. */
export type Span = readonly [from: number, to: number]

const TOP = 30

/** The greatest shares of busy time: by function, by file and by package. */
export function summariseProfile(path: string, spans: readonly Span[], root: string): string {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byFunction = new Map<string, number>()
  const byFile = new Map<string, number>()
  const byPackage = new Map<string, number>()
  let busy = 0
  let idle = 0
  let clock = profile.startTime
  for (const [index, id] of profile.samples.entries()) {
    const micros = profile.timeDeltas[index] ?? 0
    clock += micros
    if (!spans.some(([from, to]) => clock >= from && clock <= to)) continue
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === '(idle)') {
      idle += micros
      continue
    }
    busy += micros
    const file = fileOf(frame.url, root)
    const name = frame.functionName || '(anonymous)'
    add(byFunction, file === '' ? name : `${name}  ${file}:${frame.lineNumber + 1}`, micros)
    add(byFile, file === '' ? name : file, micros)
    add(byPackage, packageOf(file) || name, micros)
  }
  const percent = ((100 * busy) / (busy + idle)).toFixed(0)
  return [
    `busy ${(busy / 1_000_000).toFixed(1)} s of ${((busy + idle) / 1_000_000).toFixed(1)} s (${percent} %); self time as share of busy`,
    ...section('by package', byPackage, busy),
    ...section('by file', byFile, busy),
    ...section('by function', byFunction, busy),
  ].join('\n')
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros)
}

function section(title: string, sums: ReadonlyMap<string, number>, busy: number): string[] {
  const top = [...sums].toSorted(([, one], [, other]) => other - one).slice(0, TOP)
  const lines = top.map(
    ([name, micros]) => `${((100 * micros) / busy).toFixed(1).padStart(6)}  ${name}`,
  )
  return ['', title, ...lines]
}

function fileOf(url: string, root: string): string {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  return path.startsWith(root) ? path.slice(root.length) : path
}

function packageOf(file: string): string {
  const [, name] = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
  if (name !== undefined) return name
  const [, ours] = /^server\/(src\/(?:modules\/)?[^/]+(?:\/(?=[^/]+\/)[^/]+)?)/.exec(file) ?? []
  return ours ?? file.split('/')[0] ?? ''
}
