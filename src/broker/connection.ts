// One client's connection: bytes in, frames, requests, replies in request order, bytes out. The I/O shell of the pipeline.
//
// Kafka handles one request of a connection at a time. So do we, with one exception that no client can see: produce requests
// that follow each other start at once (their appends happen in arrival order, before the first await), so that one fsync
// serves them all. Replies always leave in request order.
//
// What is bounded: bytes read and not yet answered (socket paused, and a budget over all connections), requests in flight,
// and replies the client does not read (nothing new is started until it does).
//
// A client that ends its side is gone: waits end with the signal, and replies that are not ready yet have nobody to go to.
// Only produce requests that had come whole are still started, as Kafka does, for a producer with acks=0 sends and closes.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Socket } from '../io/network.ts'
import type { Logger } from '../lib/logger.ts'
import type { SlabArena } from '../lib/slab-arena.ts'
import { type Slab, slabOf } from '../lib/slab.ts'
import { produce } from '../protocol/apis/produce.ts'
import { ConnectionState } from './connection-state.ts'
import { FrameError, FrameReader, SIZE_BYTES } from '../protocol/frame-reader.ts'
import { CloseConnection } from './handler.ts'
import { IN_FLIGHT_BYTES_MAX, InFlightRequests, type StartedRequest } from './in-flight.ts'
import type { BudgetMember, MemoryBudget } from './memory-budget.ts'
import { type Answer, type RequestDispatcher, RequestRefused } from './request-dispatcher.ts'

/** Bytes of later requests that may wait behind the ones in flight before the socket is paused. */
const READ_AHEAD_BYTES = 256 * 1024
/** What a connection may hold without asking the budget: requests that others wait for, a JoinGroup or a Fetch, always get through. */
const UNASKED_BYTES = 16 * 1024
/** A reply holds memory only by chunks of at least this size. */
const HELD_BYTES_MIN = 1024
/** Replies of one turn leave in one write, unless they are more than this. */
const WRITE_BYTES = 64 * 1024
/** One that brings less in its turn of the budget, about a second, keeps the others waiting for nothing. */
const TURN_BYTES_MIN = 64 * 1024
/** How long a client whose connection we end may take to read what it was sent. */
const FLUSH_MS_MAX = 5000

export interface ConnectionOptions {
  readonly id: number
  readonly listener: string
  readonly socket: Socket
  readonly dispatcher: Pick<RequestDispatcher, 'dispatch'>
  readonly budget: MemoryBudget
  /** Where produce requests lie; what of them goes into a log is held by it. */
  readonly frames: SlabArena
  readonly maxFrameBytes: number
  readonly clock: Clock
  readonly logger: Logger
  /** Nothing is read before `open`. */
  readonly held: boolean
  /** Exactly once; no handler is started after it. */
  readonly onClosed: (connection: Connection) => void
  /** Exactly once: nothing of the socket is left. Produce requests that had come whole may still be waiting to start. */
  readonly onSocketClosed: (connection: Connection) => void
}

export class Connection implements BudgetMember {
  readonly info: ConnectionState
  readonly #socket: Socket
  readonly #dispatcher: Pick<RequestDispatcher, 'dispatch'>
  readonly #budget: MemoryBudget
  readonly #reader: FrameReader
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onClosed: (connection: Connection) => void
  readonly #onGone: (connection: Connection) => void

  readonly #inFlight = new InFlightRequests()
  /** A frame that has been cut but may not start yet. */
  #next: Uint8Array | null = null
  /** Bytes that came and were not yet given back to the budget. */
  #heldBytes = 0
  /**
   * Null while there is nothing: an array that waits for the next answer would be moved to the old generation, and keep alive there what was
   * pushed to it, until all of the heap is marked.
   */
  #outgoing: Uint8Array[] | null = null
  #outgoingBytes = 0
  #flushPending = false
  #pumping = false
  /** The client does not read what we write. */
  #stalled = false
  #held: boolean
  #waitsForBudget = false
  #paused = false
  /** The socket is closed, and what had come whole is still being started. */
  #draining = false
  /** Nothing is read or started any more. */
  #closing = false
  #closed = false
  #patience: Timer | null = null
  #lastActiveAt: Millis
  #unsentBytesSeen = 0

  constructor(options: ConnectionOptions) {
    const { socket } = options
    this.#socket = socket
    this.#dispatcher = options.dispatcher
    this.#budget = options.budget
    const { frames } = options
    this.#reader = new FrameReader(options.maxFrameBytes, (size, apiKey) =>
      apiKey === produce.key ? frames.take(size) : Buffer.allocUnsafe(size),
    )
    this.#clock = options.clock
    this.#logger = options.logger
    this.#held = options.held
    this.#onClosed = options.onClosed
    this.#onGone = options.onSocketClosed
    this.#lastActiveAt = options.clock.monotonic()
    this.info = new ConnectionState(options.id, options.listener, socket)
    socket.onData = (bytes) => this.#onData(bytes)
    socket.onDrain = () => this.#onDrain()
    socket.readInto = () => this.#reader.room()
    socket.onClose = (error) => {
      this.#onSocketClosed(error)
      this.#onGone(this)
    }
    this.#steer()
  }

  /** Monotonic time of the last byte in either direction. */
  get lastActiveAt(): Millis {
    return this.#lastActiveAt
  }

  /** The client has asked, and waits for us. */
  get awaitsAnswer(): boolean {
    return !this.#inFlight.isEmpty
  }

  get unsentBytes(): number {
    return this.#socket.bufferedBytes
  }

  /** Begins to read, if it was held. */
  open(): void {
    this.#held = false
    this.#steer()
  }

  /** To be called now and then: a client that takes what waits for it, however slowly, is active. */
  watchProgress(): void {
    const unsent = this.#socket.bufferedBytes
    if (unsent < this.#unsentBytesSeen) this.#lastActiveAt = this.#clock.monotonic()
    this.#unsentBytesSeen = unsent
  }

  /** Closes at once, saying why. */
  close(reason: string): void {
    if (this.#closed) return
    this.#logger.info({ ...this.info.describe(), reason }, 'connection closed')
    this.#leave()
    this.#socket.destroy()
  }

  /** The broker stops: what is answered still leaves, nothing new starts. */
  shutDown(): void {
    if (!this.#closed) this.#finish()
  }

  /** Closes the socket now; what the client has not taken is lost. */
  destroySocket(): void {
    this.#socket.destroy()
  }

  resumeReading(): boolean {
    this.#waitsForBudget = false
    this.#steer()
    return this.#needsMore()
  }

  stopReading(): void {
    this.#waitsForBudget = true
    this.#steer()
  }

  endTurn(bytes: number): void {
    const waitsForBytes = this.#inFlight.isEmpty && this.#reader.bufferedBytes > 0
    if (waitsForBytes && bytes < TURN_BYTES_MIN) this.close('sends its request too slowly while memory is short')
  }

  #onData(bytes: Uint8Array): void {
    if (this.#closing) return
    this.#lastActiveAt = this.#clock.monotonic()
    this.#heldBytes += bytes.length
    this.#budget.take(this, bytes.length)
    this.#reader.push(bytes)
    this.#pump()
    this.#reader.keep()
  }

  #onDrain(): void {
    if (this.#closing) return
    this.#lastActiveAt = this.#clock.monotonic()
    this.#stalled = false
    this.#pump()
  }

  /** Starts what may start, sends what is answered, then decides whether to read on. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (!this.#closing && !this.#stalled) {
        this.#next ??= this.#reader.next()
        if (this.#next === null || !this.#mayStart(this.#next)) break
        const frame = this.#next
        this.#next = null
        this.#start(frame)
        if (this.#outgoingBytes > WRITE_BYTES) this.#flush()
      }
    } catch (error) {
      this.#failRead(error)
    } finally {
      this.#pumping = false
    }
    if (this.#closed) return
    this.#flush()
    if (this.#draining && this.#isDrained()) this.#leave()
    else this.#askBudget()
  }

  #mayStart(frame: Uint8Array): boolean {
    if (this.#draining && !isProduce(frame)) return false
    return this.#inFlight.mayStart(frame.length + SIZE_BYTES, isProduce(frame))
  }

  #start(frame: Uint8Array): void {
    const bytes = frame.length + SIZE_BYTES
    const isProduceRequest = isProduce(frame)
    let answer: Answer | Promise<Answer>
    try {
      answer = this.#dispatcher.dispatch(this.info, frame)
    } catch (error) {
      this.#fail(this.#added(bytes, isProduceRequest), error)
      return
    } finally {
      // Whatever a produce request does with its bytes it has done by now; the log holds what it keeps.
      if (isProduceRequest) slabOf(frame)?.release()
    }
    if (answer instanceof Promise) {
      const request = this.#added(bytes, isProduceRequest)
      answer.then(
        (chunks) => this.#settle(request, chunks),
        (error: unknown) => this.#fail(request, error),
      )
    } else if (!this.#inFlight.isEmpty) {
      this.#inFlight.settle(this.#added(bytes, isProduceRequest), answer)
    } else if (!this.#closed) {
      this.#reply(answer)
      this.#giveBack(bytes)
    }
  }

  /** If the handler closed the connection, the request's bytes were given back with all that had not started. */
  #added(bytes: number, isProduceRequest: boolean): StartedRequest {
    return this.#inFlight.add(this.#closed ? 0 : bytes, isProduceRequest)
  }

  #settle(request: StartedRequest, answer: Answer): void {
    this.#inFlight.settle(request, answer)
    this.#settled(request)
  }

  /** The connection ends once all before `request` is answered; nothing after it is started. */
  #fail(request: StartedRequest, error: unknown): void {
    this.#explain(error)
    this.#stopReading()
    this.#inFlight.settleAsEnd(request)
    this.#settled(request)
  }

  #settled(request: StartedRequest): void {
    if (this.#closed) this.#giveBack(request.bytes)
    else this.#sendAnswered()
  }

  /** Moves what may leave to the socket's side. */
  #sendAnswered(): void {
    if (this.#closed) return
    let request = this.#inFlight.takeAnswered()
    if (request === null) return
    const { isProduce } = request
    while (request !== null) {
      if (request.ends) {
        this.#finish()
        return
      }
      this.#giveBack(request.bytes)
      this.#reply(request.answer!)
      request = this.#inFlight.takeAnswered()
    }
    if (!this.#pumping) this.#schedulePump(isProduce)
  }

  #reply(answer: Answer): void {
    for (const chunk of answer) {
      this.#outgoing ??= []
      this.#outgoing.push(chunk)
      this.#outgoingBytes += chunk.length
    }
  }

  /**
   * Replies that are ready in the same turn leave in one write. Those to producers leave after the others: what is committed wakes the producer
   * and the consumers that wait for it, and how late a record is is counted at the consumer.
   */
  #schedulePump(isToProducer: boolean): void {
    if (this.#flushPending) return
    this.#flushPending = true
    if (isToProducer) process.nextTick(this.#scheduledPump)
    else queueMicrotask(this.#scheduledPump)
  }

  readonly #scheduledPump = (): void => {
    this.#flushPending = false
    if (!this.#closed) this.#pump()
  }

  #flush(): void {
    if (this.#outgoing === null) return
    const chunks = this.#outgoing
    this.#outgoing = null
    this.#outgoingBytes = 0
    this.#lastActiveAt = this.#clock.monotonic()
    if (!this.#socket.write(chunks, releaserOf(chunks))) this.#stalled = true
  }

  /** Whether reading on, rather than waiting for an answer or the client, brings this connection further. */
  #needsMore(): boolean {
    return this.#heldBytes > UNASKED_BYTES && !this.#inFlight.hasOther && !this.#stalled
  }

  #askBudget(): void {
    if (this.#heldBytes <= UNASKED_BYTES) {
      this.#waitsForBudget = false
      this.#budget.leave(this)
    } else {
      if (!this.#waitsForBudget) this.#waitsForBudget = !this.#budget.mayRead(this)
      if (!this.#needsMore()) this.#budget.pass(this)
    }
    this.#steer()
  }

  #steer(): void {
    if (this.#closed || this.#draining) return
    const pause = this.#held || (!this.#closing && (this.#waitsForBudget || this.#isAhead()))
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Enough has come that cannot start yet. What is half read may be a produce request that could start beside the others. */
  #isAhead(): boolean {
    const bytes = this.#reader.bufferedBytes
    if (bytes <= READ_AHEAD_BYTES || (this.#inFlight.isEmpty && !this.#stalled)) return false
    const mustWait = this.#stalled || this.#inFlight.hasOther || this.#next !== null
    return mustWait || this.#inFlight.bytes + bytes > IN_FLIGHT_BYTES_MAX
  }

  #giveBack(bytes: number): void {
    this.#heldBytes -= bytes
    this.#budget.give(bytes)
  }

  /** The stream itself is broken: nothing after this point can be understood. Earlier requests are still answered. */
  #failRead(error: unknown): void {
    this.#explain(error)
    this.#stopReading()
    this.#inFlight.addEnd()
    this.#sendAnswered()
  }

  /** What still arrives is dropped, and what was not started yet is forgotten. */
  #stopReading(): void {
    if (this.#closed) return
    this.#closing = true
    this.#next = null
    this.#reader.drop()
    this.#giveBack(this.#heldBytes - this.#inFlight.bytes)
  }

  #explain(error: unknown): void {
    const isExpected =
      error instanceof CloseConnection || error instanceof RequestRefused || error instanceof FrameError
    if (!isExpected) {
      // A wait that ended because the client is gone is no fault.
      if (this.#closed && isAbort(error)) return
      this.#logger.error({ ...this.info.describe(), err: error }, 'request failed, connection closed')
    } else if (!this.#closing) {
      this.#logger.warn({ ...this.info.describe(), reason: error.message }, 'connection closed')
    }
  }

  #onSocketClosed(error?: Error): void {
    this.#patience?.cancel()
    if (this.#closed) return
    if (error !== undefined) this.#logger.debug({ ...this.info.describe(), err: error }, 'connection broke')
    this.#draining = true
    this.#stalled = false
    if (this.#closing) this.#leave()
    else this.#pump()
  }

  /** After starting what may start: nothing is left that is worth starting for a client that is gone. */
  #isDrained(): boolean {
    return this.#inFlight.hasOther || this.#next === null || !isProduce(this.#next)
  }

  /** What is answered still leaves, then the socket closes. */
  #finish(): void {
    this.#flush()
    this.#leave()
    this.#socket.end()
    if (this.#socket.bufferedBytes > 0) {
      this.#patience = this.#clock.setTimer(FLUSH_MS_MAX, () => this.#socket.destroy())
    }
  }

  #leave(): void {
    this.#closing = true
    this.#closed = true
    this.#reader.drop()
    this.#next = null
    this.#outgoing = []
    this.#budget.leave(this)
    // What is still being handled is in memory until it is done.
    this.#giveBack(this.#heldBytes - this.#inFlight.unansweredBytes)
    this.info.abort()
    this.#onClosed(this)
  }
}

/** Releases the slabs that replies lie in: each is held once for its reply. Undefined when there are none. */
function releaserOf(chunks: readonly Uint8Array[]): (() => void) | undefined {
  const held: Slab[] = []
  for (const chunk of chunks) {
    // What is smaller was copied into the reply.
    const slab = chunk.length < HELD_BYTES_MIN ? undefined : slabOf(chunk)
    if (slab !== undefined) held.push(slab)
  }
  if (held.length === 0) return undefined
  return () => {
    for (const slab of held) slab.release()
  }
}

const isProduce = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === produce.key

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'
