// Two ends of a channel inside a test: copies of messages, in order, after a latency in simulated time, until it is cut.

import type { Clock, Millis } from './clock.ts'
import type { MessageChannel } from './message-channel.ts'

export class SimulatedChannel {
  readonly left: MessageChannel
  readonly right: MessageChannel
  /** Of messages posted from now on; none overtakes another. 0: in a later microtask, without time passing. */
  latencyMs: Millis = 0
  /** What is posted is lost, and neither end hears of it: one of the processes stands still. */
  silent = false
  readonly #clock: Clock
  readonly #ends: readonly [End, End]
  #open = true

  constructor(clock: Clock) {
    this.#clock = clock
    const left = new End(
      (message) => this.#carry(message, right),
      () => this.cut(),
    )
    const right = new End(
      (message) => this.#carry(message, left),
      () => this.cut(),
    )
    this.#ends = [left, right]
    this.left = left
    this.right = right
  }

  /** Either process ends: what is on its way is lost, and both ends hear of it. */
  cut(): void {
    if (!this.#open) return
    this.#open = false
    for (const end of this.#ends) queueMicrotask(() => end.onClose())
  }

  #carry(message: unknown, to: End): void {
    if (!this.#open || this.silent) return
    const copy = structuredClone(message)
    const deliver = (): void => {
      if (this.#open) to.onMessage(copy)
    }
    const now = this.#clock.monotonic()
    to.arrivesAt = Math.max(to.arrivesAt, now + this.latencyMs)
    if (to.arrivesAt === now) queueMicrotask(deliver)
    else this.#clock.setTimer(to.arrivesAt - now, deliver)
  }
}

class End implements MessageChannel {
  onMessage: (message: unknown) => void = () => {}
  onClose: () => void = () => {}
  /** Of the last message posted to it: no later one comes before. */
  arrivesAt: Millis = 0
  readonly post: (message: unknown) => void
  readonly close: () => void

  constructor(post: (message: unknown) => void, close: () => void) {
    this.post = post
    this.close = close
  }
}
