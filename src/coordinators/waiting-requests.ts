// Who waits for an answer from a coordinator. A machine only knows the number; the promise and the way to refuse are here.
// Bounded by the requests in flight: every entry is one of them.

import { ErrorCode } from '../protocol/error-code.ts'
import type { ReplyTo } from './effect.ts'

interface Waiting {
  answer(response: unknown): void
  refuse(code: ErrorCode): void
}

export class WaitingRequests {
  readonly #waiting = new Map<number, Waiting>()
  #next = 1

  get size(): number {
    return this.#waiting.size
  }

  /**
   * `refusal` makes the response that carries nothing but an error. When `signal` aborts, the wait ends with one that nobody reads;
   * an answer that comes later is dropped.
   */
  add<Response>(
    refusal: (code: ErrorCode) => Response,
    signal?: AbortSignal,
  ): { readonly replyTo: ReplyTo<Response>; readonly answer: Promise<Response> } {
    const replyTo: ReplyTo<Response> = this.#next++
    const answer = new Promise<Response>((resolve) => {
      const gone = () => this.refuse(replyTo, ErrorCode.NETWORK_EXCEPTION)
      const settle = (response: Response) => {
        this.#waiting.delete(replyTo)
        signal?.removeEventListener('abort', gone)
        resolve(response)
      }
      this.#waiting.set(replyTo, {
        answer: (response) => settle(response as Response),
        refuse: (code) => settle(refusal(code)),
      })
      if (signal?.aborted === true) gone()
      else signal?.addEventListener('abort', gone)
    })
    return { replyTo, answer }
  }

  /** Without effect when the request no longer waits. */
  answer(replyTo: ReplyTo<unknown>, response: unknown): void {
    this.#waiting.get(replyTo)?.answer(response)
  }

  refuse(replyTo: ReplyTo<unknown>, code: ErrorCode): void {
    this.#waiting.get(replyTo)?.refuse(code)
  }

  refuseAll(code: ErrorCode): void {
    for (const waiting of this.#waiting.values()) waiting.refuse(code)
  }
}
