// One connection of a client to a broker. Whatever goes wrong with it ends it, and everything that waits on it: then nobody knows
// whether the broker did what it was asked to. The next request needs another.

import type { Clock, Millis } from '../../src/io/clock.ts'
import type { Network, Socket } from '../../src/io/network.ts'
import { FrameReader } from '../../src/protocol/frame-reader.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export interface ConnectionOptions {
  readonly network: Network
  readonly clock: Clock
  readonly clientId: string
  readonly address: BrokerAddress
  /** How long an answer may take, connecting included. */
  readonly timeoutMs: Millis
}

/** No answer will come: the request was done, or not, or will be. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected'
}

interface Waiting {
  answer(frame: Uint8Array): void
  fail(error: Disconnected): void
}

const responseBytesMax = 1 << 26

export class Connection {
  readonly #options: ConnectionOptions
  readonly #reader = new FrameReader(responseBytesMax)
  readonly #giveUp = new AbortController()
  #socket: Socket | null = null
  /** Until there is a connection. */
  #unsent: Uint8Array[][] = []
  /** In the order of the requests, and so of the answers. */
  #waiting: Waiting[] = []
  #nextCorrelationId = 0
  #isOpen = true

  constructor(options: ConnectionOptions) {
    this.#options = options
    options.network.connect({ ...options.address, signal: this.#giveUp.signal }).then(
      (socket) => this.#connected(socket),
      (error: unknown) => this.#end('no connection', error),
    )
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Requests leave in the order of the calls. Rejects with `Disconnected`. `timeoutMs`: longer than usual, for what takes long. */
  ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, timeoutMs?: Millis): Promise<ResponseOf<A>> {
    if (!this.#isOpen) return Promise.reject(new Disconnected('the connection has ended'))
    const { clock } = this.#options
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(timeoutMs ?? this.#options.timeoutMs, () =>
        this.#end(`${api.name} was not answered`),
      )
      this.#waiting.push({
        answer(frame) {
          timer.cancel()
          resolve(decodeResponse(api, version, frame).body)
        },
        fail(error) {
          timer.cancel()
          reject(error)
        },
      })
      this.#send(api, version, body)
    })
  }

  /** A request that has no answer: produce with acks=0. */
  tell<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void {
    if (this.#isOpen) this.#send(api, version, body)
  }

  close(): void {
    this.#end('closed')
  }

  #send<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void {
    const correlationId = this.#nextCorrelationId++
    const frame = encodeRequest(api, version, { correlationId, clientId: this.#options.clientId }, body)
    if (this.#socket === null) this.#unsent.push(frame)
    else this.#socket.write(frame)
  }

  #connected(socket: Socket): void {
    if (!this.#isOpen) return socket.destroy()
    this.#socket = socket
    socket.onData = (bytes) => {
      this.#reader.push(bytes)
      for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
        this.#waiting.shift()?.answer(frame)
      }
      this.#reader.keep()
    }
    socket.onClose = (error) => this.#end('the connection has ended', error)
    for (const frame of this.#unsent) socket.write(frame)
    this.#unsent = []
  }

  #end(message: string, cause?: unknown): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#giveUp.abort()
    this.#socket?.destroy()
    const waiting = this.#waiting
    this.#waiting = []
    const error = new Disconnected(message, { cause })
    for (const one of waiting) one.fail(error)
  }
}
