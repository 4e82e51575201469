// One end of a simulated connection. Each direction is a queue at the sender, a window of bytes that are on their way or
// wait for the reader, and the marks of TCP at its end: FIN after the last byte, or a reset.
import { invariant } from '../lib/invariant.ts'
import type { Clock, Timer } from './clock.ts'
import { NetworkError, type Socket } from './network.ts'
import type { Random } from './random.ts'

/** Carries what is sent to the other side: later, in order. */
export interface Link {
  send(arrive: () => void): void
}

export interface Address {
  readonly address: string
  readonly port: number
}

/** What all sockets of a network share. */
export interface SocketSurroundings {
  readonly clock: Clock
  readonly windowBytes: number
  readonly random: Random | undefined
  opened(socket: SimulatedSocket): void
  closed(socket: SimulatedSocket): void
}

interface Ends {
  readonly near: Address
  readonly far: Address
  readonly there: Link
  readonly back: Link
}

/** As the real socket: `write` answers false above this many bytes. */
const highMarkBytes = 256 * 1024
/** As the real socket: how long an end waits for the other. */
const lingerMs = 2000

export class SimulatedSocket implements Socket {
  /** The connecting side and the accepting side. */
  static pair({ near, far, there, back }: Ends, surroundings: SocketSurroundings): [SimulatedSocket, SimulatedSocket] {
    const client = new SimulatedSocket(near, far, there, surroundings)
    const server = new SimulatedSocket(far, near, back, surroundings)
    client.#peer = server
    server.#peer = client
    return [client, server]
  }

  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  onData: (bytes: Uint8Array) => void = () => undefined
  readInto: () => Uint8Array | null = () => null
  onClose: (error?: Error) => void = () => undefined
  onDrain: () => void = () => undefined
  readonly #link: Link
  readonly #surroundings: SocketSurroundings
  #peer: SimulatedSocket | null = null

  /** Not yet sent, oldest first. */
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  /** Sent, and not yet read by the peer's owner. */
  #outstandingBytes = 0
  #full = false
  #finQueued = false
  #finSent = false

  /** Arrived, and not yet read by the owner. */
  #arrived: Uint8Array[] = []
  #finArrived = false
  #paused = false
  #closed = false
  /** Closed without a word: the process or the machine of this side is gone. */
  #vanished = false
  #linger: Timer | undefined

  private constructor(local: Address, remote: Address, link: Link, surroundings: SocketSurroundings) {
    this.localAddress = local.address
    this.localPort = local.port
    this.remoteAddress = remote.address
    this.remotePort = remote.port
    this.#link = link
    this.#surroundings = surroundings
    surroundings.opened(this)
  }

  write(chunks: readonly Uint8Array[], onLeft?: () => void): boolean {
    const bytes = Buffer.concat(chunks)
    onLeft?.()
    if (this.#closed || this.#finQueued) return true
    if (bytes.length > 0) this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    this.#send()
    if (this.#queuedBytes > highMarkBytes) this.#full = true
    return !this.#full
  }

  get bufferedBytes(): number {
    return this.#queuedBytes
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    // Never from within the owner's own call.
    this.#surroundings.clock.setTimer(0, () => this.#deliver())
  }

  end(): void {
    if (this.#closed || this.#finQueued) return
    this.#finQueued = true
    this.resume()
    this.#send()
  }

  destroy(): void {
    if (this.#closed) return
    const unread = this.#arrived.length > 0
    this.#close(undefined)
    // As a kernel does: who closes with bytes unread resets the connection.
    this.#tellPeer((peer) => (unread ? peer.fail(reset(this)) : peer.#finArrives()))
  }

  /** The connection breaks on this side, now. */
  fail(error: Error): void {
    this.#close(error)
  }

  /** The process of this side is gone: its owner hears nothing more, the other side that the connection is closed. */
  kill(): void {
    if (this.#closed) return
    this.vanish()
    this.#tellPeer((peer) => peer.#finArrives())
  }

  /** The machine of this side is gone: neither owner hears of it. */
  vanish(): void {
    if (this.#closed) return
    this.#vanished = true
    this.#release()
  }

  /** Sends what the window lets through, then the FIN when there is one. */
  #send(): void {
    while (this.#queue.length > 0 && this.#outstandingBytes < this.#surroundings.windowBytes) {
      const segment = this.#takeSegment(this.#surroundings.windowBytes - this.#outstandingBytes)
      this.#outstandingBytes += segment.length
      this.#tellPeer((peer) => peer.#arrives(segment))
    }
    if (this.#finQueued && !this.#finSent && this.#queue.length === 0) {
      this.#finSent = true
      this.#tellPeer((peer) => peer.#finArrives())
      this.#linger = this.#surroundings.clock.setTimer(lingerMs, () => this.#close(undefined))
    }
  }

  #takeSegment(lengthMax: number): Uint8Array {
    const first = this.#queue[0]
    invariant(first !== undefined, 'something is queued')
    let length = Math.min(first.length, lengthMax)
    const { random } = this.#surroundings
    if (random !== undefined && random.below(4) === 0) length = 1 + random.below(length)
    if (length === first.length) this.#queue.shift()
    else this.#queue[0] = first.subarray(length)
    this.#queuedBytes -= length
    return first.subarray(0, length)
  }

  #tellPeer(arrive: (peer: SimulatedSocket) => void): void {
    const peer = this.#peer
    invariant(peer !== null, 'a connection has two ends')
    this.#link.send(() => arrive(peer))
  }

  #arrives(segment: Uint8Array): void {
    if (this.#closed) {
      // Nobody is here any more, which the sender is told; a machine that vanished tells nothing.
      if (!this.#vanished) this.#tellPeer((peer) => peer.fail(reset(this)))
      return
    }
    this.#arrived.push(segment)
    this.#deliver()
  }

  #finArrives(): void {
    if (this.#closed) return
    this.#finArrived = true
    this.#deliver()
  }

  /** Hands over what has arrived, as far as the owner wants it; then the end. */
  #deliver(): void {
    while (!this.#paused && !this.#closed && this.#arrived.length > 0) {
      const segment = this.#arrived.shift()!
      this.#tellPeer((peer) => peer.#acknowledged(segment.length))
      if (!this.#finQueued) this.#hand(segment)
    }
    if (!this.#finArrived || this.#paused || this.#closed) return
    // The other side has said its last; ours is what is still queued.
    this.#finQueued = true
    this.#send()
    if (this.#finSent) this.#close(undefined)
  }

  /** As a real socket does: into the owner's own place when there is one, else in memory that is used for something else right after. */
  #hand(segment: Uint8Array): void {
    for (let at = 0; at < segment.length && !this.#closed;) {
      const place = this.readInto()
      const count = Math.min(segment.length - at, place?.length ?? segment.length)
      const bytes = segment.subarray(at, at + count)
      at += count
      if (place === null) {
        this.onData(bytes)
        bytes.fill(0xdb)
      } else {
        place.set(bytes)
        this.onData(place.subarray(0, count))
      }
    }
  }

  #acknowledged(length: number): void {
    this.#outstandingBytes -= length
    if (this.#closed) return
    this.#send()
    if (this.#full && this.#queuedBytes <= highMarkBytes) {
      this.#full = false
      this.onDrain()
    }
    if (this.#finSent && this.#finArrived) this.#close(undefined)
  }

  /** The owner hears of it in a later turn, once. */
  #close(error: Error | undefined): void {
    if (this.#closed) return
    this.#release()
    this.#surroundings.clock.setTimer(0, () => this.onClose(error))
  }

  #release(): void {
    this.#closed = true
    this.#queue = []
    this.#queuedBytes = 0
    this.#arrived = []
    this.#linger?.cancel()
    this.#surroundings.closed(this)
  }
}

function reset(socket: Socket): NetworkError {
  return new NetworkError('ECONNRESET', `by ${socket.localAddress}:${socket.localPort}`)
}
