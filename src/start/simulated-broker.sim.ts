// A whole broker on simulated doors, and a client of it. One life: for the next, give the disk to another.
//
//   const broker = await SimulatedBroker.start()
//   await broker.ask(createTopics, 7, { topics: [{ name: 'orders' }] })
//   const found = broker.crash(seededRandom(1))
//   const next = await SimulatedBroker.start({ disk: found })

import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { SimulatedNetwork } from '../io/network.sim.ts'
import type { Socket } from '../io/network.ts'
import { seededRandom, type SeededRandom } from '../io/random.sim.ts'
import { invariant } from '../lib/invariant.ts'
import type { Logger } from '../lib/logger.ts'
import { decodeResponse, encodeRequest } from '../protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../protocol/schema/index.ts'
import { type RunningBroker, runBroker } from '../start.ts'

/** No test waits longer for an answer, in simulated time. */
const patienceMs = 120_000

export interface SimulatedBrokerOptions {
  readonly disk?: SimulatedDisk
  readonly clock?: SimulatedClock
  readonly network?: SimulatedNetwork
  /** By Kafka's names, on top of a listener at broker:9092, data in /data, and groups that start without delay. */
  readonly settings?: Readonly<Record<string, string>>
  /** Default true, as in development and in tests. */
  readonly removeMembersOnDisconnect?: boolean
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

export class SimulatedBroker {
  readonly clock: SimulatedClock
  readonly network: SimulatedNetwork
  readonly disk: SimulatedDisk
  readonly log: LogLine[] = []
  /** What the broker reported that it cannot outlive. */
  readonly faults: unknown[] = []
  readonly #options: SimulatedBrokerOptions
  #running: RunningBroker | null = null
  #client: SimulatedClient | null = null

  constructor(options: SimulatedBrokerOptions = {}) {
    this.#options = options
    this.clock = options.clock ?? new SimulatedClock()
    this.network = options.network ?? new SimulatedNetwork({ clock: this.clock })
    this.disk = options.disk ?? new SimulatedDisk()
  }

  /** Rejects as `runBroker` does. */
  static async start(options?: SimulatedBrokerOptions): Promise<SimulatedBroker> {
    const broker = new SimulatedBroker(options)
    await broker.drive(broker.run())
    return broker
  }

  /** Begins to start; time must be moved for it to go on. */
  async run(): Promise<void> {
    const { settings, removeMembersOnDisconnect = true } = this.#options
    const at = (level: LogLine['level']) => (fields: object, message: string) =>
      void this.log.push({ level, message, fields })
    const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
    this.#running = await runBroker({
      settings: brokerSettings({
        listeners: 'PLAINTEXT://broker:9092',
        'log.dir': '/data',
        'group.initial.rebalance.delay.ms': '0',
        'offsets.topic.num.partitions': '1',
        ...settings,
      }),
      removeMembersOnDisconnect,
      disk: this.disk,
      network: this.network.host('broker'),
      clock: this.clock,
      random: seededRandom(this.disk.operations + 1),
      logger,
      onFault: (error) => void this.faults.push(error),
    })
  }

  get running(): RunningBroker {
    invariant(this.#running !== null, 'the broker has not started')
    return this.#running
  }

  stop(): Promise<void> {
    return this.drive(this.running.stop())
  }

  /** The power fails. Answers the disk as the next life finds it. */
  crash(random: SeededRandom): SimulatedDisk {
    this.network.crashHost('broker')
    return this.disk.crash(random)
  }

  async connect(): Promise<SimulatedClient> {
    const socket = await this.drive(this.network.host('client').connect({ host: 'broker', port: 9092 }))
    return new SimulatedClient(this, socket)
  }

  /** Asks over a connection that stays for later requests. */
  async ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    this.#client ??= await this.connect()
    return this.drive(this.#client.ask(api, version, body))
  }

  /** Moves time until `promise` settles. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    const wait = { over: false }
    const end = () => {
      wait.over = true
    }
    promise.then(end, end)
    for (let passedMs = 0; !wait.over && passedMs < patienceMs; passedMs++) await this.clock.advance(1)
    invariant(wait.over, `nothing came of it in ${patienceMs} simulated ms`)
    return promise
  }
}

export class SimulatedClient {
  readonly #broker: SimulatedBroker
  readonly #socket: Socket
  readonly #waiting = new Map<number, { answer(frame: Uint8Array): void; fail(error: Error): void }>()
  #received = Buffer.alloc(0)
  #nextCorrelationId = 1

  constructor(broker: SimulatedBroker, socket: Socket) {
    this.#broker = broker
    this.#socket = socket
    socket.onData = (bytes) => this.#onData(bytes)
    socket.onClose = () => {
      for (const waiting of this.#waiting.values()) waiting.fail(new Error('the connection closed'))
      this.#waiting.clear()
    }
  }

  /** Rejects when the connection closes before the answer. Time must be moved: `broker.drive`. */
  async ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const correlationId = this.#nextCorrelationId++
    const answered = new Promise<Uint8Array>((answer, fail) => this.#waiting.set(correlationId, { answer, fail }))
    this.#socket.write(encodeRequest(api, version, { correlationId, clientId: 'test' }, body))
    return decodeResponse(api, version, await answered).body
  }

  async close(): Promise<void> {
    this.#socket.end()
    await this.#broker.clock.advance(1)
  }

  #onData(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= 4) {
      const size = this.#received.readInt32BE(0)
      if (this.#received.length < 4 + size) return
      const frame = this.#received.subarray(4, 4 + size)
      this.#received = this.#received.subarray(4 + size)
      const correlationId = frame.readInt32BE(0)
      this.#waiting.get(correlationId)?.answer(frame)
      this.#waiting.delete(correlationId)
    }
  }
}
