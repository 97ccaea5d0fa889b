/** An HTTP answer as it is stored under its Idempotency-Key: rendered once, replayed to the byte. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly location?: string
  /** True when the key had been used before and this is the first answer again. */
  readonly replayed?: boolean
}
