// A network inside the process, on a simulated clock: hosts with names, links with latency that can be cut, and
// connections with the back pressure of TCP. As in TCP a cut loses no bytes: they arrive when the link is healed, or
// never, when somebody gives the connection up first.
//
//   const network = new SimulatedNetwork({ clock })
//   startBroker({ network: network.host('broker-1') })
//   network.cut('broker-1', 'broker-2')
import { poisonFreeSlabs } from '../lib/slab.ts'
import type { Clock, Millis, Timer } from './clock.ts'
import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
  type Socket,
} from './network.ts'
import type { Random } from './random.ts'
import { type Link, SimulatedSocket } from './socket.sim.ts'

export interface SimulatedNetworkOptions {
  readonly clock: Clock
  /** From one side to the other. Default 0.1. */
  readonly latencyMs?: Millis
  /** Bytes on their way to, or waiting for, a reader that is slow or paused. Default 64 KiB. */
  readonly windowBytes?: number
  /** How long `connect` waits for a host that does not answer. Default 127 s, as Linux. */
  readonly connectTimeoutMs?: Millis
  /** When given, bytes arrive cut at random places, as they do in life. */
  readonly random?: Random
}

/** Ports handed out for 0 and to the connecting side begin here. */
const firstFreePort = 32_768

const allAddresses = new Set(['', '0.0.0.0', '::'])

export class SimulatedNetwork implements Network {
  readonly #clock: Clock
  readonly #latencyMs: Millis
  readonly #windowBytes: number
  readonly #connectTimeoutMs: Millis
  readonly #random: Random | undefined
  readonly #listeners = new Map<string, SimulatedListener>()
  readonly #links = new Map<string, DirectedLink>()
  /** How often the host of that name has died. */
  readonly #lives = new Map<string, number>()
  readonly #sockets = new Set<SimulatedSocket>()
  readonly #hosts = new Set<string>()
  #nextPort = firstFreePort

  constructor(options: SimulatedNetworkOptions) {
    // Whoever looks at bytes that are no longer there is to see it here, not among users.
    poisonFreeSlabs()
    this.#clock = options.clock
    this.#latencyMs = options.latencyMs ?? 0.1
    this.#windowBytes = options.windowBytes ?? 64 * 1024
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 127_000
    this.#random = options.random
  }

  /**
   * The network as the machine of that name sees it: it listens there and connects from there. After `killHost` or
   * `crashHost` it faults with ENETDOWN: the host's next life asks for its own.
   */
  host(name: string): Network {
    this.#hosts.add(name)
    const life = this.#livesOf(name)
    const alive = () => {
      if (this.#livesOf(name) !== life) throw new NetworkError('ENETDOWN', `${name} is gone`)
    }
    return {
      listen: async (options, onConnection) => {
        alive()
        return this.#listen(allAddresses.has(options.host) ? { ...options, host: name } : options, onConnection)
      },
      connect: async (options) => {
        alive()
        return this.#connect(name, options)
      },
    }
  }

  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
    return this.host('localhost').listen(options, onConnection)
  }

  connect(options: ConnectOptions): Promise<Socket> {
    return this.host('localhost').connect(options)
  }

  /** Nothing passes between the two any more, in either direction. */
  cut(one: string, other: string): void {
    this.cutOneWay(one, other)
    this.cutOneWay(other, one)
  }

  cutOneWay(from: string, to: string): void {
    this.#link(from, to).cut()
  }

  /** What waited arrives now. */
  heal(one: string, other: string): void {
    this.#link(one, other).heal()
    this.#link(other, one).heal()
  }

  healOneWay(from: string, to: string): void {
    this.#link(from, to).heal()
  }

  /** For what is sent from now on, in both directions. */
  setLatency(one: string, other: string, latencyMs: Millis): void {
    this.#link(one, other).latencyMs = latencyMs
    this.#link(other, one).latencyMs = latencyMs
  }

  /** Breaks every open connection between the two with ECONNRESET on both sides. */
  reset(one: string, other: string): void {
    for (const socket of this.#sockets) {
      if (joins(socket, one, other)) socket.fail(new NetworkError('ECONNRESET', `${one} and ${other}`))
    }
  }

  /** The process there is gone: it listens no more, and the system closes its connections. */
  killHost(name: string): void {
    this.#endLife(name, (socket) => socket.kill())
  }

  /** The machine is gone: it listens no more, and its connections fall silent without a word to their other ends. */
  crashHost(name: string): void {
    this.#endLife(name, (socket) => socket.vanish())
  }

  /** Names of all who ever had a network here, in the order of their coming. */
  get hosts(): readonly string[] {
    return [...this.#hosts]
  }

  /** Open ends of connections; two for each, until both have closed. */
  get openSockets(): number {
    return this.#sockets.size
  }

  async #listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
    const port = options.port === 0 ? this.#freePort() : options.port
    const key = keyOf(options.host, port)
    if (this.#listeners.has(key)) throw new NetworkError('EADDRINUSE', `listen on ${key}`)
    const listener = new SimulatedListener(options.host, port, onConnection, () => this.#remove(listener))
    this.#listeners.set(key, listener)
    return listener
  }

  /** One round trip until both sides have the connection; a host that cannot be reached is waited for. */
  #connect(from: string, { host, port, signal }: ConnectOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let settled = false
      let patience: Timer | undefined
      const settle = (outcome: () => void) => {
        if (settled) return
        settled = true
        patience?.cancel()
        signal?.removeEventListener('abort', cancel)
        outcome()
      }
      const fail = (code: string) => settle(() => reject(new NetworkError(code, `connect to ${keyOf(host, port)}`)))
      const cancel = () => fail('ECANCELED')
      patience = this.#clock.setTimer(this.#connectTimeoutMs, () => fail('ETIMEDOUT'))
      signal?.addEventListener('abort', cancel, { once: true })
      if (signal?.aborted === true) cancel()
      const there = this.#link(from, host)
      const back = this.#link(host, from)
      there.send(() => {
        if (settled) return
        const listener = this.#listeners.get(keyOf(host, port))
        if (listener === undefined) {
          back.send(() => fail('ECONNREFUSED'))
          return
        }
        const near = { address: from, port: this.#freePort() }
        const [client, server] = SimulatedSocket.pair({ near, far: { address: host, port }, there, back }, this.#shared)
        back.send(() => {
          // Whoever gave up meanwhile never learns of the connection; the server sees it close.
          if (settled) client.destroy()
          else settle(() => resolve(client))
        })
        listener.onConnection(server)
      })
    })
  }

  get #shared() {
    return {
      clock: this.#clock,
      windowBytes: this.#windowBytes,
      random: this.#random,
      opened: (socket: SimulatedSocket) => void this.#sockets.add(socket),
      closed: (socket: SimulatedSocket) => void this.#sockets.delete(socket),
    }
  }

  #endLife(name: string, end: (socket: SimulatedSocket) => void): void {
    this.#lives.set(name, this.#livesOf(name) + 1)
    for (const listener of this.#listeners.values()) if (listener.host === name) this.#remove(listener)
    for (const socket of this.#sockets) if (socket.localAddress === name) end(socket)
  }

  #livesOf(name: string): number {
    return this.#lives.get(name) ?? 0
  }

  #remove(listener: SimulatedListener): void {
    const key = keyOf(listener.host, listener.port)
    if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
  }

  #link(from: string, to: string): DirectedLink {
    const key = `${from} ${to}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = new DirectedLink(this.#clock, this.#latencyMs)
      this.#links.set(key, link)
    }
    return link
  }

  #freePort(): number {
    // Ports are counters here: a long simulation may go beyond 65535, and no number is ever used twice.
    this.#nextPort += 1
    return this.#nextPort
  }
}

class SimulatedListener implements Listener {
  readonly host: string
  readonly port: number
  readonly onConnection: (socket: Socket) => void
  readonly #onClose: () => void

  constructor(host: string, port: number, onConnection: (socket: Socket) => void, onClose: () => void) {
    this.host = host
    this.port = port
    this.onConnection = onConnection
    this.#onClose = onClose
  }

  async close(): Promise<void> {
    this.#onClose()
  }
}

/** One direction between two hosts. What is sent arrives in order, whatever becomes of the latency. */
class DirectedLink implements Link {
  latencyMs: Millis
  readonly #clock: Clock
  /** Sent and not yet arrived, oldest first: a timer says that one more may arrive, the queue which one. */
  readonly #onTheWay: (() => void)[] = []
  /** How many of them were due while the link was cut. */
  #due = 0
  #isCut = false
  #lastArrivalAt = -Infinity

  constructor(clock: Clock, latencyMs: Millis) {
    this.#clock = clock
    this.latencyMs = latencyMs
  }

  send(arrive: () => void): void {
    this.#onTheWay.push(arrive)
    this.#expectOne()
  }

  cut(): void {
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
    for (; this.#due > 0; this.#due--) this.#expectOne()
  }

  #expectOne(): void {
    const now = this.#clock.monotonic()
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, now + this.latencyMs)
    this.#clock.setTimer(this.#lastArrivalAt - now, () => {
      if (this.#isCut) this.#due += 1
      else this.#onTheWay.shift()!()
    })
  }
}

function keyOf(host: string, port: number): string {
  return `${host}:${port}`
}

function joins(socket: Socket, one: string, other: string): boolean {
  return (
    (socket.localAddress === one && socket.remoteAddress === other) ||
    (socket.localAddress === other && socket.remoteAddress === one)
  )
}
