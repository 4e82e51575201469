// One client's connection: bytes in, frames, requests, replies in request order, bytes out. The I/O shell of the pipeline.
//
// Kafka handles one request of a connection at a time. So do we, with one exception that no client can see: produce requests
// that follow each other start at once (their appends happen in arrival order, before the first await), so that one fsync
// serves them all. Replies always leave in request order.
//
// What is bounded: bytes read and not yet answered (socket paused, and a budget over all connections), requests in flight,
// and replies the client does not read (nothing new is started until it does).

import { CloseConnection, type ConnectionInfo, type RequestContext } from './handler.ts'
import type { Clock } from '../io/clock.ts'
import type { Socket } from '../io/network.ts'
import type { Logger } from '../lib/logger.ts'
import { produce } from '../protocol/apis/produce.ts'
import { FrameError, FrameReader } from './frame-reader.ts'
import type { BudgetMember, MemoryBudget } from './memory-budget.ts'
import { type Answer, type RequestDispatcher, RequestRefused } from './request-dispatcher.ts'

const IN_FLIGHT_REQUESTS_MAX = 128
const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of later requests that may wait behind the ones in flight before the socket is paused. */
const READ_AHEAD_BYTES = 256 * 1024

export interface ConnectionOptions {
  readonly id: number
  readonly listener: string
  readonly socket: Socket
  readonly dispatcher: RequestDispatcher
  readonly budget: MemoryBudget
  readonly maxFrameBytes: number
  readonly clock: Clock
  readonly logger: Logger
  readonly onClosed: (connection: Connection) => void
}

/** A request that was started; its reply leaves when all before it have left. */
interface InFlight {
  readonly bytes: number
  answered: boolean
  /** Chunks of the reply; empty when the request gets none. */
  chunks: readonly Uint8Array[]
  /** Ends the connection when its turn comes. */
  closes: boolean
}

export class Connection implements BudgetMember {
  readonly info: ConnectionState
  readonly #socket: Socket
  readonly #dispatcher: RequestDispatcher
  readonly #budget: MemoryBudget
  readonly #reader: FrameReader
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onClosed: (connection: Connection) => void

  readonly #inFlight: InFlight[] = []
  #inFlightBytes = 0
  #inFlightOthers = 0
  /** A frame that has been cut but may not start yet. */
  #held: Uint8Array | null = null
  /** Bytes that came and were not yet given back to the budget. */
  #heldBytes = 0
  #outgoing: Uint8Array[] = []
  #flushPending = false
  #pumping = false
  /** The client does not read what we write. */
  #stalled = false
  #waitsForBudget = false
  #paused = false
  #closing = false
  #closed = false
  #lastActiveMs: number

  constructor(options: ConnectionOptions) {
    const { socket } = options
    this.#socket = socket
    this.#dispatcher = options.dispatcher
    this.#budget = options.budget
    this.#reader = new FrameReader(options.maxFrameBytes)
    this.#clock = options.clock
    this.#logger = options.logger
    this.#onClosed = options.onClosed
    this.#lastActiveMs = options.clock.monotonic()
    this.info = new ConnectionState(options.id, options.listener, socket)
    socket.onData = (bytes) => this.#onData(bytes)
    socket.onDrain = () => this.#onDrain()
    socket.onClose = (error) => this.#onSocketClosed(error)
  }

  /** Monotonic time of the last byte in either direction; a connection that waits for an answer of ours is active. */
  get lastActiveMs(): number {
    return this.#inFlight.length > 0 && !this.#stalled ? this.#clock.monotonic() : this.#lastActiveMs
  }

  get unsentBytes(): number {
    return this.#socket.bufferedBytes
  }

  resumeReading(): void {
    this.#waitsForBudget = false
    this.#steer()
  }

  /** Closes at once, saying why. */
  close(reason: string): void {
    if (this.#closed) return
    this.#logger.info({ connection: this.info.id, client: this.info.remoteAddress, reason }, 'connection closed')
    this.#socket.destroy()
    this.#onSocketClosed()
  }

  /** The broker stops: what is answered still leaves, nothing new starts. */
  shutDown(): void {
    if (this.#closed) return
    this.#closing = true
    this.#flush()
    this.#socket.end()
    this.#onSocketClosed()
  }

  #onData(bytes: Uint8Array): void {
    if (this.#closing) return
    this.#lastActiveMs = this.#clock.monotonic()
    this.#heldBytes += bytes.length
    if (!this.#budget.take(this, bytes.length)) this.#waitsForBudget = true
    this.#reader.push(bytes)
    this.#pump()
  }

  #onDrain(): void {
    this.#lastActiveMs = this.#clock.monotonic()
    this.#stalled = false
    this.#pump()
  }

  /** Starts what may start, sends what is answered, then decides whether to read on. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (!this.#closing && !this.#stalled) {
        this.#held ??= this.#reader.next()
        if (this.#held === null || !this.#mayStart(this.#held)) break
        const frame = this.#held
        this.#held = null
        this.#start(frame)
      }
    } catch (error) {
      this.#failRead(error)
    } finally {
      this.#pumping = false
    }
    this.#flush()
    if (this.#reader.bufferedBytes === 0) this.#budget.settle(this)
    this.#steer()
  }

  #mayStart(frame: Uint8Array): boolean {
    if (this.#inFlight.length === 0) return true
    if (this.#inFlightOthers > 0 || !isProduce(frame)) return false
    return this.#inFlight.length < IN_FLIGHT_REQUESTS_MAX && this.#inFlightBytes + frame.length <= IN_FLIGHT_BYTES_MAX
  }

  #start(frame: Uint8Array): void {
    const request: InFlight = { bytes: frame.length + 4, answered: false, chunks: [], closes: false }
    const counts = !isProduce(frame)
    this.#inFlight.push(request)
    this.#inFlightBytes += request.bytes
    if (counts) this.#inFlightOthers++
    const done = (answer: Answer): void => {
      if (counts) this.#inFlightOthers--
      request.answered = true
      request.chunks = answer
      this.#sendAnswered()
    }
    const failed = (error: unknown): void => {
      if (counts) this.#inFlightOthers--
      request.answered = true
      request.closes = true
      this.#explain(error)
      this.#sendAnswered()
    }
    try {
      const answer = this.#dispatcher.dispatch(this.info, frame)
      if (answer instanceof Promise) answer.then(done, failed)
      else done(answer)
    } catch (error) {
      failed(error)
    }
  }

  /** Moves the answered head of the queue to the socket's side. */
  #sendAnswered(): void {
    if (this.#closed) return
    let sent = 0
    for (const request of this.#inFlight) {
      if (!request.answered) break
      sent++
      this.#inFlightBytes -= request.bytes
      this.#giveBack(request.bytes)
      if (request.closes) {
        this.#closing = true
        break
      }
      for (const chunk of request.chunks) this.#outgoing.push(chunk)
    }
    if (sent > 0) this.#inFlight.splice(0, sent)
    if (this.#closing) {
      this.#flush()
      this.#socket.end()
      this.#onSocketClosed()
    } else if (sent > 0 && !this.#pumping) {
      this.#scheduleFlush()
    }
  }

  /** Replies that are ready in the same turn leave in one write. */
  #scheduleFlush(): void {
    if (this.#flushPending) return
    this.#flushPending = true
    queueMicrotask(() => {
      this.#flushPending = false
      if (!this.#closed) this.#pump()
    })
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#closed) return
    const chunks = this.#outgoing
    this.#outgoing = []
    this.#lastActiveMs = this.#clock.monotonic()
    if (!this.#socket.write(chunks)) this.#stalled = true
  }

  #steer(): void {
    if (this.#closed) return
    const busy = this.#inFlight.length > 0 || this.#stalled
    const pause = this.#waitsForBudget || (busy && this.#reader.bufferedBytes > READ_AHEAD_BYTES)
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) this.#socket.pause()
    else this.#socket.resume()
  }

  #giveBack(bytes: number): void {
    this.#heldBytes -= bytes
    this.#budget.give(bytes)
  }

  /** The stream itself is broken: nothing after this point can be understood. Earlier requests are still answered. */
  #failRead(error: unknown): void {
    this.#explain(error)
    this.#reader.drop()
    this.#inFlight.push({ bytes: 0, answered: true, chunks: [], closes: true })
    this.#sendAnswered()
  }

  #explain(error: unknown): void {
    if (this.#closed) return
    const { id, remoteAddress, remotePort, clientSoftwareName } = this.info
    const from = { connection: id, client: `${remoteAddress}:${remotePort}`, software: clientSoftwareName }
    if (error instanceof CloseConnection || error instanceof RequestRefused || error instanceof FrameError) {
      this.#logger.warn({ ...from, reason: error.message }, 'connection closed')
    } else {
      this.#logger.error({ ...from, err: error }, 'request failed, connection closed')
    }
  }

  #onSocketClosed(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#closing = true
    if (error !== undefined) this.#logger.debug({ connection: this.info.id, err: error }, 'connection broke')
    this.#reader.drop()
    this.#held = null
    this.#outgoing = []
    this.#budget.give(this.#heldBytes)
    this.#heldBytes = 0
    this.#budget.leave(this)
    this.info.abort()
    this.#onClosed(this)
  }
}

const isProduce = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === produce.key

/** What handlers know of a connection; the signal is made only for those that ask. */
class ConnectionState implements ConnectionInfo {
  readonly id: number
  readonly listener: string
  readonly localHost: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  clientSoftwareName = 'unknown'
  clientSoftwareVersion = 'unknown'
  readonly principal: RequestContext['principal'] = 'User:ANONYMOUS'
  #abort: AbortController | null = null
  #aborted = false

  constructor(id: number, listener: string, socket: Socket) {
    this.id = id
    this.listener = listener
    this.localHost = plainAddress(socket.localAddress)
    this.localPort = socket.localPort
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#aborted) this.#abort.abort()
    }
    return this.#abort.signal
  }

  abort(): void {
    this.#aborted = true
    this.#abort?.abort()
  }
}

/** `::ffff:127.0.0.1`, an IPv4 address seen through an IPv6 socket, is written as clients know it. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
