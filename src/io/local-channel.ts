// A channel between two parts of one process that behave as if they were two: messages are copied, and whoever watches over both can
// hold them up, as a broken link does, or cut them off.

import type { MessageChannel } from './message-channel.ts'

export class LocalChannel {
  readonly left: MessageChannel
  readonly right: MessageChannel
  readonly #ends: readonly [End, End]
  /** On its way, in both directions. */
  #queue: { readonly to: End; readonly message: unknown }[] = []
  #held = false
  #open = true

  constructor() {
    const left: End = new End(
      (message) => this.#carry(message, right),
      () => this.cut(),
    )
    const right: End = new End(
      (message) => this.#carry(message, left),
      () => this.cut(),
    )
    this.#ends = [left, right]
    this.left = left
    this.right = right
  }

  /** Nothing arrives any more; what is posted waits. */
  hold(): void {
    this.#held = true
  }

  /** What was held up arrives, in order. */
  release(): void {
    this.#held = false
    queueMicrotask(() => this.#deliver())
  }

  /** For good: what is on its way is lost. Both ends hear of it. */
  cut(): void {
    if (!this.#open) return
    this.#open = false
    this.#queue = []
    for (const end of this.#ends) queueMicrotask(() => end.onClose())
  }

  #carry(message: unknown, to: End): void {
    if (!this.#open) return
    this.#queue.push({ to, message: structuredClone(message) })
    if (!this.#held) queueMicrotask(() => this.#deliver())
  }

  #deliver(): void {
    while (!this.#held && this.#queue.length > 0) {
      const { to, message } = this.#queue.shift()!
      to.onMessage(message)
    }
  }
}

class End implements MessageChannel {
  onMessage: (message: unknown) => void = () => {}
  onClose: () => void = () => {}
  readonly post: (message: unknown) => void
  readonly close: () => void

  constructor(post: (message: unknown) => void, close: () => void) {
    this.post = post
    this.close = close
  }
}
