// One connection to another broker, made when it is needed: requests go out, answers come back in their order. Whatever is wrong with it
// (a timeout, bytes that are no answer) ends the connection and every request on it; the next request makes a new one, after a pause
// that grows from failure to failure. Brokers of one cluster speak the same versions, so none are negotiated.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Network, Socket } from '../io/network.ts'
import type { Random } from '../io/random.ts'
import { invariant } from '../lib/invariant.ts'
import { type FrameMemory, FrameReader } from '../protocol/frame-reader.ts'
import { decodeResponse, encodeRequest } from '../protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../protocol/schema/index.ts'

export interface PeerAddress {
  readonly host: string
  readonly port: number
}

export interface PeerConnectionOptions {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly clientId: string
  /** Asked before each connection is made; null: not known at the moment. */
  readonly address: () => PeerAddress | null
  /** How long an answer may take, connecting included. */
  readonly timeoutMs: Millis
  /** A longer answer ends the connection. */
  readonly responseBytesMax: number
  /** Where answers lie. One in a slab is held once, for who asked. Default: memory of its own for each. */
  readonly memoryFor?: FrameMemory
}

/** The peer cannot be asked, or did not answer: nobody knows whether it did what it was asked to. */
export class PeerUnavailable extends Error {
  override readonly name = 'PeerUnavailable'
}

const pauseMinMs: Millis = 50
const pauseMaxMs: Millis = 1000

interface Pending {
  /** Throws when the frame is not the answer. */
  readonly answer: (frame: Uint8Array) => void
  readonly fail: (error: Error) => void
}

export class PeerConnection {
  readonly #options: PeerConnectionOptions
  #socket: Socket | null = null
  #reader: FrameReader
  #connecting: Promise<Socket> | null = null
  readonly #giveUp = new AbortController()
  /** Oldest first. */
  #pending: Pending[] = []
  #nextCorrelationId = 0
  #failures = 0
  #mayConnectAt: Millis = -Infinity
  #closed = false

  constructor(options: PeerConnectionOptions) {
    this.#options = options
    this.#reader = new FrameReader(options.responseBytesMax, options.memoryFor)
  }

  get isOpen(): boolean {
    return this.#socket !== null
  }

  /** Rejects with `PeerUnavailable`. Records in the answer are views of its frame, which is the caller's to keep. */
  async request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const { clock, timeoutMs, clientId } = this.#options
    const answer = Promise.withResolvers<ResponseOf<A>>()
    const timer = clock.setTimer(timeoutMs, () => {
      const late = new PeerUnavailable(`${api.name} was not answered in ${timeoutMs} ms`)
      answer.reject(late)
      this.#fail(late)
    })
    try {
      await Promise.race([this.#connected(), answer.promise])
      const socket = this.#socket
      if (socket === null) throw new PeerUnavailable('the connection has ended')
      const correlationId = this.#nextCorrelationId
      this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff
      this.#pending.push({
        answer(frame) {
          const response = decodeResponse(api, version, frame)
          invariant(response.correlationId === correlationId, `${response.correlationId} answers ${correlationId}`)
          answer.resolve(response.body)
        },
        fail: answer.reject,
      })
      socket.write(encodeRequest(api, version, { correlationId, clientId }, body))
      return await answer.promise
    } finally {
      timer.cancel()
    }
  }

  /** Ends the connection, and every request that waits. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#giveUp.abort()
    this.#fail(new PeerUnavailable('the connection was closed'))
  }

  #connected(): Promise<Socket> {
    if (this.#closed) return Promise.reject(new PeerUnavailable('the connection was closed'))
    if (this.#socket !== null) return Promise.resolve(this.#socket)
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null
    })
    return this.#connecting
  }

  async #connect(): Promise<Socket> {
    const { network, clock, address, timeoutMs } = this.#options
    const waitMs = this.#mayConnectAt - clock.monotonic()
    if (waitMs > 0) await this.#pause(waitMs)
    const place = address()
    if (place === null) throw this.#failed(new PeerUnavailable('its address is not known'))
    const patience = new AbortController()
    const timer: Timer = clock.setTimer(timeoutMs, () => patience.abort())
    const signal = AbortSignal.any([patience.signal, this.#giveUp.signal])
    let socket: Socket
    try {
      socket = await network.connect({ ...place, signal })
    } catch (error) {
      throw this.#failed(new PeerUnavailable(`no connection to ${place.host}:${place.port}`, { cause: error }))
    } finally {
      timer.cancel()
    }
    if (this.#closed) {
      socket.destroy()
      throw new PeerUnavailable('the connection was closed')
    }
    this.#use(socket)
    return socket
  }

  #use(socket: Socket): void {
    this.#socket = socket
    this.#reader = new FrameReader(this.#options.responseBytesMax, this.#options.memoryFor)
    const reader = this.#reader
    socket.readInto = () => reader.room()
    socket.onData = (bytes) => {
      if (this.#socket === socket) this.#take(bytes)
    }
    socket.onClose = (error) => {
      if (this.#socket === socket) this.#fail(new PeerUnavailable('the connection has ended', { cause: error }))
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes)
      for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
        const oldest = this.#pending[0]
        invariant(oldest !== undefined, 'an answer that nobody asked for')
        oldest.answer(frame)
        this.#pending.shift()
        this.#failures = 0
      }
      this.#reader.keep()
    } catch (error) {
      this.#fail(new PeerUnavailable('what it sent is no answer', { cause: error }))
    }
  }

  #fail(error: PeerUnavailable): void {
    const socket = this.#socket
    this.#socket = null
    if (socket !== null) {
      socket.destroy()
      this.#failed(error)
    }
    const pending = this.#pending
    this.#pending = []
    for (const one of pending) one.fail(error)
  }

  /** The next connection waits: twice as long as before the last, give or take a fifth. */
  #failed(error: PeerUnavailable): PeerUnavailable {
    const { clock, random } = this.#options
    const pauseMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    this.#mayConnectAt = clock.monotonic() + (pauseMs * (800 + random.below(401))) / 1000
    return error
  }

  #pause(ms: Millis): Promise<void> {
    const { signal } = this.#giveUp
    return new Promise((resolve, reject) => {
      const end = () => {
        timer.cancel()
        reject(new PeerUnavailable('the connection was closed'))
      }
      const timer = this.#options.clock.setTimer(ms, () => {
        signal.removeEventListener('abort', end)
        resolve()
      })
      signal.addEventListener('abort', end, { once: true })
    })
  }
}
