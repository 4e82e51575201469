// What the members speak to: a broker of ours, three of ours, or Apache Kafka to compare with; each can be restarted while they speak.

import { join } from 'node:path'
import { javaHashPartition } from '../../src/lib/java-hash.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { ClusterProcess } from '../support/cluster-process.ts'
import { KafkaBroker } from '../support/kafka-broker.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { waitFor } from '../support/wait-for.ts'

export type Kind = 'broker' | 'cluster' | 'kafka'

export interface Server {
  readonly bootstrap: readonly string[]
  /** The folder that a broker keeps its partitions in; several when there are several. */
  readonly folders: readonly string[]
  /** Of the only broker: ended, and started on the same port. */
  restart(how: 'cleanly' | 'killed'): Promise<void>
  /** kill -9 of the broker that coordinates the group. Resolves when it has been started again. */
  killCoordinator(group: string): Promise<void>
  stop(): Promise<void>
}

const offsetsPartitions = 3

function settingsOf(sessionTimeoutMs: number): Record<string, string> {
  return {
    'offsets.topic.num.partitions': String(offsetsPartitions),
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.min.session.timeout.ms': String(sessionTimeoutMs),
    'group.consumer.session.timeout.ms': String(sessionTimeoutMs),
    'group.consumer.min.heartbeat.interval.ms': '500',
    'group.consumer.heartbeat.interval.ms': '500',
  }
}

/** `folder` is the caller's. */
export async function startServer(kind: Kind, folder: string, sessionTimeoutMs: number): Promise<Server> {
  const settings = settingsOf(sessionTimeoutMs)
  const data = join(folder, 'data')
  if (kind === 'broker') return new OneBroker(await BrokerProcess.start({ data, settings }), data, settings)
  if (kind === 'kafka') return new ApacheKafka(await KafkaBroker.start(data, settings), data, settings)
  return new ThreeBrokers(await ClusterProcess.start({ data, settings }), data)
}

class OneBroker implements Server {
  readonly bootstrap: readonly string[]
  readonly folders: readonly string[]
  readonly #settings: Readonly<Record<string, string>>
  #process: BrokerProcess

  constructor(process: BrokerProcess, data: string, settings: Readonly<Record<string, string>>) {
    this.#process = process
    this.#settings = settings
    this.bootstrap = [process.bootstrap]
    this.folders = [data]
  }

  async restart(how: 'cleanly' | 'killed'): Promise<void> {
    if (how === 'cleanly') await this.#process.stop()
    else await this.#process.kill()
    const { data, port } = this.#process
    this.#process = await BrokerProcess.start({ data, port, settings: this.#settings })
  }

  async killCoordinator(): Promise<void> {
    await this.restart('killed')
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }
}

class ApacheKafka implements Server {
  readonly bootstrap: readonly string[]
  readonly folders: readonly string[]
  readonly #folder: string
  readonly #settings: Readonly<Record<string, string>>
  #broker: KafkaBroker

  constructor(broker: KafkaBroker, folder: string, settings: Readonly<Record<string, string>>) {
    this.#broker = broker
    this.#folder = folder
    this.#settings = settings
    this.bootstrap = [broker.bootstrap]
    this.folders = [broker.data]
  }

  async restart(how: 'cleanly' | 'killed'): Promise<void> {
    if (how === 'cleanly') await this.#broker.stop()
    else await this.#broker.kill()
    this.#broker = await KafkaBroker.start(this.#folder, this.#settings, this.#broker.port)
  }

  async killCoordinator(): Promise<void> {
    await this.restart('killed')
  }

  async stop(): Promise<void> {
    await this.#broker.stop()
  }
}

class ThreeBrokers implements Server {
  readonly folders: readonly string[]
  readonly #process: ClusterProcess

  constructor(process: ClusterProcess, data: string) {
    this.#process = process
    this.folders = [1, 2, 3].map((id) => join(data, `broker-${id}`))
  }

  get bootstrap(): readonly string[] {
    return this.#process.addresses
  }

  restart(): Promise<void> {
    throw new Error('a cluster is not restarted as one')
  }

  async killCoordinator(group: string): Promise<void> {
    const coordinator = await this.#coordinatorOf(group)
    const killed = this.#process.pidOf(coordinator)
    this.#process.kill(coordinator)
    await this.#process.back(coordinator, killed)
  }

  async #coordinatorOf(group: string): Promise<number> {
    const admin = kafkaJs('', { brokers: [...this.bootstrap] }).admin()
    await admin.connect()
    try {
      return await waitFor('the coordinator to be known', async () => {
        const { topics } = await admin.fetchTopicMetadata({ topics: ['__consumer_offsets'] })
        const index = javaHashPartition(group, offsetsPartitions)
        const leader = topics[0]?.partitions.find(({ partitionId }) => partitionId === index)?.leader ?? -1
        return leader > 0 && leader
      })
    } finally {
      await admin.disconnect()
    }
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }
}

/** The partition of `__consumer_offsets` that keeps the group. */
export const partitionOfGroup = (group: string): number => javaHashPartition(group, offsetsPartitions)
