// Several brokers on one machine, each a process of its own, so that each has an event loop and a core. Their supervisor keeps the
// metadata, starts them, starts again what dies, and stops them together.
//
// A process that has ended is gone for certain: its leases end at once, and others lead in its place without waiting for them to run out.

import type { MetaStoreServer, ServedBroker } from '../cluster/remote/meta-store-server.ts'
import type { Child, Ended } from '../io/child-process.ts'
import type { Clock, Millis, Timer } from '../io/clock.ts'
import { lanesOf, type MessageChannel } from '../io/message-channel.ts'
import type { Logger } from '../lib/logger.ts'
import { StartRefused } from './start-refused.ts'
import { type BoundListener, type FromSupervised, lanes, type Manner, type ToSupervised } from './supervision.ts'

export interface SupervisorOptions {
  readonly brokerIds: readonly number[]
  /** By Kafka's names. `bound`: where it listened in its last life; null before the first. */
  readonly settingsOf: (brokerId: number, bound: readonly BoundListener[] | null) => ReadonlyMap<string, string>
  readonly manner: Manner
  readonly metadata: MetaStoreServer
  readonly launch: (brokerId: number) => Child
  readonly clock: Clock
  readonly logger: Logger
  /** How long brokers may take to stop before they are killed. */
  readonly stopMsMax?: Millis
}

export interface SupervisedBroker {
  readonly brokerId: number
  /** Of its first process. */
  readonly pid: number
  readonly clusterId: string
  readonly listeners: readonly BoundListener[]
}

/** Between a death and the next start: none after the first, then longer each time, until it has served for a while. */
const backoffMs = { first: 0, second: 250, max: 10_000 } as const
const servedForMs: Millis = 30_000
/** A process that lives but says nothing for so long after it lost its lease hangs: it is killed, and started again. */
const silentMsMax: Millis = 60_000
const lookMs: Millis = 5000

interface Supervised {
  readonly brokerId: number
  child: Child | null
  served: ServedBroker | null
  listeners: readonly BoundListener[] | null
  nextBackoffMs: Millis
  readyAt: Millis
  /** Of its first start. */
  readonly ready: PromiseWithResolvers<SupervisedBroker>
  ended: Promise<void>
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #brokers: readonly Supervised[]
  readonly #lanes = new WeakMap<Child, MessageChannel>()
  #stopping = false
  #looking: Timer | null = null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#brokers = options.brokerIds.map((brokerId) => ({
      brokerId,
      child: null,
      served: null,
      listeners: null,
      nextBackoffMs: backoffMs.first,
      readyAt: -Infinity,
      ready: Promise.withResolvers(),
      ended: Promise.resolve(),
    }))
  }

  /** Resolves when every broker is ready. Rejects with `StartRefused` when one cannot start; then call `stop`. */
  async start(): Promise<readonly SupervisedBroker[]> {
    for (const broker of this.#brokers) this.#launch(broker)
    this.#lookLater()
    return Promise.all(this.#brokers.map(({ ready }) => ready.promise))
  }

  /**
   * All at the same time. Their leases hold until the end, so that nobody takes anybody out of an ISR: the next start finds every replica
   * as much in sync as it is. Who does not stop in time is killed.
   */
  async stop(): Promise<void> {
    const { metadata, clock, logger, stopMsMax = 20_000 } = this.#options
    this.#stopping = true
    this.#looking?.cancel()
    metadata.holdLeases()
    const timer = clock.setTimer(stopMsMax, () => {
      for (const { child, brokerId } of this.#brokers) {
        if (child === null) continue
        logger.warn({ brokerId, pid: child.pid }, 'a broker did not stop in time and is killed')
        child.kill('SIGKILL')
      }
    })
    for (const { child } of this.#brokers) if (child !== null) this.#say(child, { kind: 'stop' })
    await Promise.all(this.#brokers.map(({ ended }) => ended))
    timer.cancel()
  }

  /** At once, without a word. */
  kill(): void {
    this.#stopping = true
    this.#looking?.cancel()
    for (const { child } of this.#brokers) child?.kill('SIGKILL')
  }

  #say(child: Child, message: ToSupervised): void {
    this.#lanes.get(child)?.post(message)
  }

  #launch(broker: Supervised): void {
    const { metadata, launch, settingsOf, manner } = this.#options
    const child = launch(broker.brokerId)
    broker.child = child
    const { supervision, metadata: lane } = lanesOf(child.channel, lanes)
    this.#lanes.set(child, supervision)
    const served = metadata.serve(lane)
    broker.served = served
    let refusal: string | null = null
    supervision.onMessage = (message) => {
      const said = message as FromSupervised
      if (said.kind === 'ready') this.#ready(broker, child.pid, said)
      else refusal = said.reason
    }
    const settings = [...settingsOf(broker.brokerId, broker.listeners)]
    this.#say(child, { kind: 'start', settings, manner })
    broker.ended = child.ended.then(async (ended) => {
      broker.child = null
      broker.served = null
      try {
        await served.holderEnded()
      } catch (error) {
        const { brokerId } = broker
        this.#options.logger.warn(
          { err: error, brokerId },
          'the registration of a broker that has ended could not be removed yet',
        )
      }
      this.#ended(broker, ended, refusal)
    })
  }

  #lookLater(): void {
    const { clock, logger } = this.#options
    this.#looking = clock.setTimer(lookMs, () => {
      for (const { brokerId, child, served } of this.#brokers) {
        if (child === null || served === null || served.silentMs < silentMsMax) continue
        logger.warn({ brokerId, pid: child.pid }, 'a broker hangs and is killed')
        child.kill('SIGKILL')
      }
      this.#lookLater()
    })
  }

  #ready(broker: Supervised, pid: number, { clusterId, listeners }: FromSupervised & { readonly kind: 'ready' }): void {
    const { brokerId } = broker
    const again = broker.listeners !== null
    broker.listeners = listeners
    broker.readyAt = this.#options.clock.monotonic()
    broker.ready.resolve({ brokerId, pid, clusterId, listeners })
    if (again) this.#options.logger.info({ brokerId, pid }, 'the broker is back')
  }

  #ended(broker: Supervised, { code, signal }: Ended, refusal: string | null): void {
    if (this.#stopping) return
    const { clock, logger } = this.#options
    const { brokerId } = broker
    if (broker.listeners === null) {
      const reason = refusal ?? `it ended by ${signal ?? `exit code ${code}`} while it started`
      broker.ready.reject(new StartRefused(`broker ${brokerId}: ${reason}`))
      return
    }
    if (clock.monotonic() - broker.readyAt > servedForMs) broker.nextBackoffMs = backoffMs.first
    const waitMs = broker.nextBackoffMs
    broker.nextBackoffMs = Math.min(Math.max(2 * waitMs, backoffMs.second), backoffMs.max)
    logger.warn({ brokerId, code, signal, reason: refusal, waitMs }, 'a broker has ended and is started again')
    clock.setTimer(waitMs, () => {
      if (!this.#stopping) this.#launch(broker)
    })
  }
}
