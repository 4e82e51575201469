// The world of one run: machines with production brokers, an etcd of three members, a network, one clock. All that is random in it comes
// from the seed, in streams by name.

import { createHash } from 'node:crypto'
import type { ClusterImage } from '../src/cluster/image.ts'
import { keyPrefix } from '../src/cluster/keys.ts'
import type { MetaEvent } from '../src/cluster/meta-store.ts'
import type { Millis } from '../src/io/clock.ts'
import { SimulatedClock } from '../src/io/clock.sim.ts'
import { SimulatedEtcd } from '../src/io/etcd.sim.ts'
import { SimulatedNetwork } from '../src/io/network.sim.ts'
import { type SeededRandom, seededRandom } from '../src/io/random.sim.ts'
import { Violation, type World } from './contracts.ts'
import { SimulatedMachine } from './machine.ts'
import { RecordedTrace } from './trace.ts'
import { Truth } from './truth.ts'

export interface WorldOptions {
  readonly seed: number
  /** Default 3. */
  readonly brokers?: number
  /** Of every broker, by Kafka's names; on top of `usualSettings`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** From one host to another when all is well. */
export const latencyMs: Millis = 0.2

/** Everything that takes minutes in production takes seconds here, so that a run of a minute sees it. */
export const usualSettings: Readonly<Record<string, string>> = {
  'broker.session.timeout.ms': '3000',
  'replica.lag.time.max.ms': '2000',
  'replica.fetch.wait.max.ms': '300',
  'replica.fetch.backoff.ms': '200',
  'replica.socket.timeout.ms': '2000',
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'num.partitions': '2',
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '2',
  'offsets.topic.replication.factor': '3',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '5000',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '700',
  'group.consumer.assignment.interval.ms': '300',
  'group.consumer.regex.refresh.interval.ms': '10000',
  'log.segment.bytes': '1048576',
  'log.initial.task.delay.ms': '5000',
  'log.retention.check.interval.ms': '10000',
  'leader.imbalance.check.interval.seconds': '15',
}

export class SimulatedWorld implements World {
  readonly seed: number
  readonly clock = new SimulatedClock()
  readonly trace: RecordedTrace
  readonly network: SimulatedNetwork
  readonly etcd: SimulatedEtcd
  readonly machines: readonly SimulatedMachine[]
  readonly portOfBrokers = 9092
  readonly #truth: Truth
  #violation: Violation | null = null

  constructor({ seed, brokers = 3, settings = {} }: WorldOptions) {
    this.seed = seed
    const { clock } = this
    this.trace = new RecordedTrace(clock)
    this.network = new SimulatedNetwork({ clock, latencyMs, random: this.random('network') })
    this.etcd = new SimulatedEtcd({ clock, random: this.random('etcd'), latencyMs: { min: 0.2, max: 1 } })
    this.#truth = new Truth(this.etcd.state, (event) => this.#traceChange(event))
    const replicas = String(Math.min(3, brokers))
    const usual = {
      ...usualSettings,
      'default.replication.factor': replicas,
      'offsets.topic.replication.factor': replicas,
      'min.insync.replicas': String(Math.min(2, brokers)),
    }
    this.machines = Array.from({ length: brokers }, (_, i) => {
      const id = i + 1
      return new SimulatedMachine({
        id,
        rack: `rack-${(i % 3) + 1}`,
        clock,
        network: this.network,
        etcd: this.etcd,
        random: this.random(`broker-${id}`),
        trace: this.trace,
        settings: { ...usual, ...settings },
        onUnknownError: (machine, error) => this.violated(unknownError(machine.host, error)),
      })
    })
  }

  /** The rule that was broken first; null while all hold. */
  get violation(): Violation | null {
    return this.#violation
  }

  /** The metadata as etcd has it now. */
  get image(): ClusterImage {
    return this.#truth.image
  }

  async truth(): Promise<ClusterImage> {
    return this.image
  }

  random(name: string): SeededRandom {
    const hash = createHash('sha256').update(`${this.seed} ${name}`).digest()
    return seededRandom(hash.readUIntBE(0, 6))
  }

  violated(violation: Violation): void {
    if (this.#violation !== null) return
    this.#violation = violation
    this.trace.add('rules', `broken: ${violation.message}`)
  }

  machine(id: number): SimulatedMachine {
    const machine = this.machines.find((candidate) => candidate.id === id)
    if (machine === undefined) throw new Error(`there is no machine ${id}`)
    return machine
  }

  #traceChange({ kind, entry }: MetaEvent): void {
    const key = entry.key.startsWith(keyPrefix) ? entry.key.slice(keyPrefix.length) : entry.key
    const value = Buffer.from(entry.value).toString()
    this.trace.add('etcd', kind === 'put' ? `${entry.modRevision} ${key} = ${value}` : `${key} is gone`)
  }
}

/** `who` threw, and nobody caught it. */
export function unknownError(who: string, error: unknown): Violation {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new Violation('errors are caught', `${who} threw ${text}`)
}
