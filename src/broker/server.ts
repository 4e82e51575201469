// The broker's listeners and the connections they accepted: opening, watching over, closing.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Listener, Network, Socket } from '../io/network.ts'
import type { Logger } from '../lib/logger.ts'
import { SlabArena } from '../lib/slab-arena.ts'
import { Connection } from './connection.ts'
import { MemoryBudget } from './memory-budget.ts'
import type { RequestDispatcher } from './request-dispatcher.ts'

const WATCH_INTERVAL_MS = 1000
/** Only a client that has taken nothing for this long is closed when replies fill the memory. */
const SILENT_MS_MIN = 5000
/** How long clients may take to close their side when the broker stops. */
const SOCKETS_CLOSED_MS_MAX = 250
/** Connections the system keeps until they are accepted: all clients of a large cluster may come at once. */
const BACKLOG = 4096
/** Produce requests of up to half of it share one: three batches of max.message.bytes and what is beside them. */
const SLAB_BYTES = 4 * 1024 * 1024
/** What is more becomes garbage that the collector is slow to find: sixteen producers of 1 MiB batches have 80 requests under way. */
const SPARE_SLABS_MAX = 16
/** As much as requests may hold by default (queued.max.request.bytes). */
const HELD_SLABS_MAX = 64

export interface ListenerAddress {
  /** Listener name as in `listeners`: `PLAINTEXT`. */
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface ServerLimits {
  /** Largest request (socket.request.max.bytes). */
  readonly requestBytesMax: number
  /** Requests of all connections that are read and not yet answered (queued.max.request.bytes); negative: no bound. */
  readonly queuedRequestBytesMax: number
  /** Replies of all connections that clients have not taken. */
  readonly unsentResponseBytesMax: number
  /** A connection without a byte in either direction for this long is closed (connections.max.idle.ms); negative: never. */
  readonly idleMsMax: number
}

export interface ServerOptions {
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly dispatcher: Pick<RequestDispatcher, 'dispatch'>
  readonly limits: ServerLimits
  /** Told of every connection that ended, once, by its id. */
  readonly onDisconnected: (connectionId: number) => void
}

export class BrokerServer {
  readonly #options: ServerOptions
  readonly #budget: MemoryBudget
  readonly #frames = new SlabArena({
    slabBytes: SLAB_BYTES,
    spareMax: SPARE_SLABS_MAX,
    heldMax: HELD_SLABS_MAX,
  })
  readonly #listeners: Listener[] = []
  readonly #connections = new Set<Connection>()
  /** Whose socket is open: also those that have ended and wait for the client to close its side. */
  readonly #sockets = new Set<Connection>()
  #onSocketsClosed: (() => void) | null = null
  #nextConnectionId = 1
  #watch: Timer | null = null
  #state: 'held' | 'open' | 'closed' = 'held'

  constructor(options: ServerOptions) {
    const { queuedRequestBytesMax } = options.limits
    this.#options = options
    this.#budget = new MemoryBudget(queuedRequestBytesMax < 0 ? Infinity : queuedRequestBytesMax)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Bytes of requests that were read and are not yet answered, over all connections. */
  get queuedRequestBytes(): number {
    return this.#budget.usedBytes
  }

  /**
   * Opens one listener; answers with the address it really has (port 0 picks a free one). Rejects with the network's fault.
   * Clients can connect from here on; their requests are read after `open`.
   */
  async listen(address: ListenerAddress): Promise<ListenerAddress> {
    const { network, clock } = this.#options
    const where = { host: address.host, port: address.port, backlog: BACKLOG }
    const listener = await network.listen(where, (socket) => this.#accept(address.name, socket))
    if (this.#state === 'closed') await listener.close()
    else {
      this.#listeners.push(listener)
      this.#watch ??= clock.setTimer(WATCH_INTERVAL_MS, () => this.#watchOver())
    }
    return { name: address.name, host: listener.host, port: listener.port }
  }

  /** The broker is ready: requests are read. */
  open(): void {
    if (this.#state !== 'held') return
    this.#state = 'open'
    for (const connection of this.#connections) connection.open()
  }

  /** No new connections; open ones send what is answered and close. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#watch?.cancel()
    this.#watch = null
    const closed = this.#listeners.splice(0).map((listener) => listener.close())
    for (const connection of this.#connections) connection.shutDown()
    await Promise.all(closed)
  }

  /** After `close`: resolves when no socket is left. A client that does not close its side is cut off after a moment. */
  async socketsClosed(): Promise<void> {
    if (this.#sockets.size === 0) return
    const timer = this.#options.clock.setTimer(SOCKETS_CLOSED_MS_MAX, () => {
      for (const connection of this.#sockets) connection.destroySocket()
    })
    await new Promise<void>((resolve) => {
      this.#onSocketsClosed = resolve
    })
    timer.cancel()
  }

  #accept(listener: string, socket: Socket): void {
    const { dispatcher, clock, logger, limits, onDisconnected } = this.#options
    if (this.#state === 'closed') {
      socket.destroy()
      return
    }
    const connection = new Connection({
      id: this.#nextConnectionId++,
      listener,
      socket,
      dispatcher,
      budget: this.#budget,
      frames: this.#frames,
      maxFrameBytes: limits.requestBytesMax,
      clock,
      logger,
      held: this.#state === 'held',
      onClosed: (closed) => {
        this.#connections.delete(closed)
        onDisconnected(closed.info.id)
      },
      onSocketClosed: (closed) => {
        this.#sockets.delete(closed)
        if (this.#sockets.size === 0) this.#onSocketsClosed?.()
      },
    })
    this.#connections.add(connection)
    this.#sockets.add(connection)
  }

  #watchOver(): void {
    const { clock, limits, logger } = this.#options
    this.#watch = clock.setTimer(WATCH_INTERVAL_MS, () => this.#watchOver())
    const now = clock.monotonic()
    let unsentBytes = 0
    for (const connection of this.#connections) {
      connection.watchProgress()
      const silentMs = now - connection.lastActiveAt
      if (limits.idleMsMax >= 0 && silentMs > limits.idleMsMax && !connection.awaitsAnswer) {
        connection.close('idle (connections.max.idle.ms)')
      } else {
        unsentBytes += connection.unsentBytes
      }
    }
    if (unsentBytes > limits.unsentResponseBytesMax) {
      logger.warn({ unsentBytes, limit: limits.unsentResponseBytesMax }, 'clients do not read their replies')
      this.#closeSilent(now, unsentBytes - limits.unsentResponseBytesMax)
    }
    this.#budget.rotate()
  }

  /** The longest silent first, until `excessBytes` are free. */
  #closeSilent(now: Millis, excessBytes: number): void {
    const silent = [...this.#connections]
      .filter(({ unsentBytes, lastActiveAt }) => unsentBytes > 0 && now - lastActiveAt > SILENT_MS_MIN)
      .toSorted((a, b) => a.lastActiveAt - b.lastActiveAt)
    let freed = 0
    for (const connection of silent) {
      if (freed >= excessBytes) return
      freed += connection.unsentBytes
      connection.close('does not read its replies')
    }
  }
}
