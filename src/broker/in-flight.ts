// The requests of one connection that were started, in the order in which they came, which is that of their replies.
// One at a time, save produce requests that follow each other: those may be as many, and as large, as the bounds say.

import type { Answer } from './request-dispatcher.ts'

const REQUESTS_MAX = 128
export const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024

/** A request that was started; its reply leaves when all before it have left. */
export interface StartedRequest {
  /** Size field included. */
  readonly bytes: number
  readonly isProduce: boolean
  /** Chunks of the reply, none when the request gets no reply; null until it is answered. */
  answer: Answer | null
  /** Ends the connection when its turn comes. */
  ends: boolean
}

const noReply: Answer = []

export class InFlightRequests {
  /** The first is never answered, between calls. */
  readonly #requests: StartedRequest[] = []
  #bytes = 0
  #others = 0

  get isEmpty(): boolean {
    return this.#requests.length === 0
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Of those that are still being handled. */
  get unansweredBytes(): number {
    let bytes = 0
    for (const request of this.#requests) if (request.answer === null) bytes += request.bytes
    return bytes
  }

  /** Whether one of them is no produce request: then it is the only one. */
  get hasOther(): boolean {
    return this.#others > 0
  }

  mayStart(bytes: number, isProduce: boolean): boolean {
    if (this.#requests.length === 0) return true
    if (this.#others > 0 || !isProduce) return false
    return this.#requests.length < REQUESTS_MAX && this.#bytes + bytes <= IN_FLIGHT_BYTES_MAX
  }

  add(bytes: number, isProduce: boolean): StartedRequest {
    const request: StartedRequest = { bytes, isProduce, answer: null, ends: false }
    this.#requests.push(request)
    this.#bytes += bytes
    if (!isProduce) this.#others += 1
    return request
  }

  /** After those that were started the connection ends. */
  addEnd(): void {
    this.#requests.push({ bytes: 0, isProduce: true, answer: noReply, ends: true })
  }

  /** To be called once for every request. */
  settle(request: StartedRequest, answer: Answer): void {
    request.answer = answer
    if (!request.isProduce) this.#others -= 1
  }

  /** To be called once for every request, instead of `settle`. */
  settleAsEnd(request: StartedRequest): void {
    request.ends = true
    this.settle(request, noReply)
  }

  /** Removes the first if it is answered. Null when nothing may leave now. */
  takeAnswered(): StartedRequest | null {
    const head = this.#requests[0]
    if (head === undefined || head.answer === null) return null
    this.#requests.shift()
    this.#bytes -= head.bytes
    return head
  }
}
