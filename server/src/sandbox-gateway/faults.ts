import type { FaultBody, OperationBody } from './gateway.schema.ts'

/** Faults ordered for coming requests: each strikes the first matching ones, then is used up. */
export interface Faults {
  order(fault: FaultBody): void
  /** The fault that strikes this request, if any; the oldest order wins. */
  take(body: OperationBody): FaultBody | undefined
  clear(): void
}

export function openFaults(): Faults {
  let ordered: { fault: FaultBody; left: number }[] = []
  return {
    order(fault) {
      ordered.push({ fault, left: fault.times ?? 1 })
    },
    take(body) {
      const struck = ordered.find(({ fault }) => matches(fault.match ?? {}, body))
      if (struck === undefined) return undefined
      struck.left -= 1
      if (struck.left === 0) ordered = ordered.filter((other) => other !== struck)
      return struck.fault
    },
    clear() {
      ordered = []
    },
  }
}

function matches(match: NonNullable<FaultBody['match']>, body: OperationBody): boolean {
  return (
    (match.operation ?? body.operation) === body.operation &&
    (match.key ?? body.key) === body.key &&
    (match.amount ?? body.amount) === body.amount &&
    (match.token ?? body.instrument?.token) === body.instrument?.token
  )
}
