// The broker's listeners and the connections they accepted: opening, watching over, closing.

import type { Clock, Timer } from '../io/clock.ts'
import type { Listener, Network } from '../io/network.ts'
import type { Logger } from '../lib/logger.ts'
import { Connection } from './connection.ts'
import { MemoryBudget } from './memory-budget.ts'
import type { RequestDispatcher } from './request-dispatcher.ts'

const WATCH_INTERVAL_MS = 1000
/** A client that has taken nothing for this long is the first to go when replies fill the memory. */
const STALLED_MS = 5000

export interface ListenerAddress {
  /** Listener name as in `listeners`: `PLAINTEXT`. */
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface ServerLimits {
  /** Largest request (socket.request.max.bytes). */
  readonly requestBytesMax: number
  /** Requests of all connections that are read and not yet answered (queued.max.request.bytes). */
  readonly queuedRequestBytesMax: number
  /** Replies of all connections that clients have not taken. */
  readonly unsentResponseBytesMax: number
  /** A connection without a byte in either direction for this long is closed (connections.max.idle.ms). */
  readonly idleMsMax: number
}

export interface ServerOptions {
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly dispatcher: RequestDispatcher
  readonly limits: ServerLimits
  /** Told of every connection that ended, by its id. */
  readonly onDisconnected: (connectionId: number) => void
}

export class BrokerServer {
  readonly #options: ServerOptions
  readonly #budget: MemoryBudget
  readonly #listeners: Listener[] = []
  readonly #connections = new Set<Connection>()
  #nextConnectionId = 1
  #watch: Timer | null = null

  constructor(options: ServerOptions) {
    this.#options = options
    this.#budget = new MemoryBudget(options.limits.queuedRequestBytesMax)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Opens one listener; answers with the address it really has (port 0 picks a free one). Rejects with the network's fault. */
  async listen(address: ListenerAddress): Promise<ListenerAddress> {
    const { network, dispatcher, clock, logger, limits, onDisconnected } = this.#options
    const listener = await network.listen({ host: address.host, port: address.port, backlog: 4096 }, (socket) => {
      const connection = new Connection({
        id: this.#nextConnectionId++,
        listener: address.name,
        socket,
        dispatcher,
        budget: this.#budget,
        maxFrameBytes: limits.requestBytesMax,
        clock,
        logger,
        onClosed: (closed) => {
          this.#connections.delete(closed)
          onDisconnected(closed.info.id)
        },
      })
      this.#connections.add(connection)
    })
    this.#listeners.push(listener)
    this.#watch ??= clock.setTimer(WATCH_INTERVAL_MS, () => this.#watchOver())
    return { name: address.name, host: listener.host, port: listener.port }
  }

  /** No new connections; open ones send what is answered and close. */
  async close(): Promise<void> {
    this.#watch?.cancel()
    this.#watch = null
    const closed = this.#listeners.splice(0).map((listener) => listener.close())
    for (const connection of this.#connections) connection.shutDown()
    await Promise.all(closed)
  }

  #watchOver(): void {
    const { clock, limits, logger } = this.#options
    const now = clock.monotonic()
    let unsentBytes = 0
    for (const connection of this.#connections) {
      unsentBytes += connection.unsentBytes
      if (now - connection.lastActiveMs > limits.idleMsMax) connection.close('idle (connections.max.idle.ms)')
    }
    if (unsentBytes > limits.unsentResponseBytesMax) {
      logger.warn({ unsentBytes, limit: limits.unsentResponseBytesMax }, 'clients do not read their replies')
      this.#closeStalled(now, unsentBytes - limits.unsentResponseBytesMax)
    }
    this.#watch = clock.setTimer(WATCH_INTERVAL_MS, () => this.#watchOver())
  }

  /** The longest silent first, until `excessBytes` are free. */
  #closeStalled(now: number, excessBytes: number): void {
    const stalled = [...this.#connections]
      .filter((connection) => connection.unsentBytes > 0 && now - connection.lastActiveMs > STALLED_MS)
      .toSorted((a, b) => a.lastActiveMs - b.lastActiveMs)
    let freed = 0
    for (const connection of stalled) {
      if (freed >= excessBytes) return
      freed += connection.unsentBytes
      connection.close('does not read its replies')
    }
  }
}
