/**
 * A state machine as data: `{ state: { event: nextState } }`. What the table does not list is
 * refused. One table yields the TypeScript union, the JSON enum and the test of the CHECK constraint.
 */
export type Transitions<State extends string> = Readonly<
  Record<State, Readonly<Partial<Record<string, State>>>>
>

export interface Machine<State extends string> {
  readonly name: string
  readonly states: readonly State[]
  readonly transitions: Transitions<State>
  /** The state after the event, or undefined where the table has no cell. */
  next(from: State, event: string): State | undefined
}

export type StateOf<M> = M extends Machine<infer State> ? State : never

export function machine<const Table extends Transitions<keyof Table & string>>(
  name: string,
  table: Table,
): Machine<keyof Table & string> {
  const transitions = table as Transitions<keyof Table & string>
  return {
    name,
    states: Object.keys(table) as (keyof Table & string)[],
    transitions,
    next: (from, event) =>
      Object.hasOwn(transitions[from], event) ? transitions[from][event] : undefined,
  }
}
