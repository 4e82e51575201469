// Several brokers as they are run: a process each, with an etcd of their own beside them, and everything gone when the bench ends.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import type { ResponseOf } from '../../src/protocol/schema/index.ts'
import { EtcdUnderTest, freePorts } from '../../test/support/etcd.ts'
import { waitFor } from '../../test/support/wait-for.ts'
import { BrokerProcess } from '../broker-process.ts'
import { RawClient } from '../raw-client.ts'

export interface ClusterOptions {
  readonly brokers: number
  /** `name=value`, on top of what keeps the bench short. */
  readonly settings?: readonly string[]
}

export interface TopicShape {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
}

export class ClusterUnderBench {
  readonly etcd: EtcdUnderTest
  /** By broker id; undefined while it is not there. */
  readonly brokers = new Map<number, BrokerProcess>()
  readonly #folder: string
  readonly #ports: readonly number[]
  readonly #settings: readonly string[]

  /** Runs `work` over a new cluster, and leaves nothing behind, whatever becomes of it. */
  static async with(options: ClusterOptions, work: (cluster: ClusterUnderBench) => Promise<void>): Promise<void> {
    const cleanUps: (() => Promise<void>)[] = []
    const folder = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
    try {
      const etcd = await EtcdUnderTest.start({ after: (done: () => Promise<void>) => void cleanUps.push(done) })
      const ports = await freePorts(options.brokers)
      const cluster = new ClusterUnderBench(etcd, folder, ports, options.settings ?? [])
      cleanUps.push(() => cluster.#killAll())
      await Promise.all(ports.map((_, index) => cluster.start(index + 1)))
      await work(cluster)
    } finally {
      for (const cleanUp of cleanUps.toReversed()) await cleanUp()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    }
  }

  private constructor(etcd: EtcdUnderTest, folder: string, ports: readonly number[], settings: readonly string[]) {
    this.etcd = etcd
    this.#folder = folder
    this.#ports = ports
    this.#settings = settings
  }

  get ids(): number[] {
    return this.#ports.map((_, index) => index + 1)
  }

  addressOf(id: number): string {
    return `127.0.0.1:${this.#ports[id - 1]}`
  }

  /** Resolves when the broker says that it is ready. */
  async start(id: number): Promise<BrokerProcess> {
    const port = this.#ports[id - 1]!
    const broker = await BrokerProcess.start({
      data: join(this.#folder, `broker-${id}`),
      port,
      settings: [
        `node.id=${id}`,
        `etcd.endpoints=${this.etcd.endpoints.join(',')}`,
        `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
        'offsets.topic.num.partitions=3',
        'group.initial.rebalance.delay.ms=0',
        'leader.imbalance.check.interval.seconds=2',
        'leader.imbalance.per.broker.percentage=0',
        ...this.#settings,
      ],
    })
    this.brokers.set(id, broker)
    return broker
  }

  /** kill -9. */
  async kill(id: number): Promise<void> {
    const broker = this.brokers.get(id)
    this.brokers.delete(id)
    await broker?.kill()
  }

  /** A clean stop; answers how long it took, in milliseconds. */
  async stop(id: number): Promise<number> {
    const broker = this.brokers.get(id)!
    this.brokers.delete(id)
    return broker.stop()
  }

  async createTopic({ name, partitions, replicas }: TopicShape): Promise<void> {
    const client = await this.#anyClient()
    const { topics } = await client.request(createTopics, 7, {
      topics: [{ name, numPartitions: partitions, replicationFactor: replicas }],
      timeoutMs: 120_000,
    })
    client.close()
    const code = topics[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (code !== ErrorCode.NONE) throw new Error(`create ${name}: ${errorName(code)}`)
    await this.untilWhole([name])
  }

  /** As a broker that lives sees them. */
  async topics(names: readonly string[]): Promise<ResponseOf<typeof metadata>['topics']> {
    const client = await this.#anyClient()
    try {
      const response = await client.request(metadata, 12, { topics: names.map((name) => ({ name })) })
      return response.topics
    } finally {
      client.close()
    }
  }

  async leaderOf(name: string, index = 0): Promise<number> {
    const [topic] = await this.topics([name])
    return topic!.partitions.find(({ partitionIndex }) => partitionIndex === index)!.leaderId
  }

  /** Every partition has a leader, and all of its replicas are in sync. */
  async untilWhole(names: readonly string[]): Promise<void> {
    const isWhole = async () => {
      const topics = await this.topics(names)
      return topics.every(
        ({ errorCode, partitions }) =>
          errorCode === ErrorCode.NONE &&
          partitions.every(
            ({ leaderId, isrNodes, replicaNodes }) => leaderId >= 0 && isrNodes.length === replicaNodes.length,
          ),
      )
    }
    await waitFor(`all replicas of ${names.join()} in sync`, isWhole, 180_000)
  }

  /** As `untilWhole`, and each partition is led by its first replica: a round of `auto.leader.rebalance.enable` has been. */
  async untilEven(names: readonly string[]): Promise<void> {
    await this.untilWhole(names)
    const isEven = async () => {
      const topics = await this.topics(names)
      return topics.every(({ partitions }) =>
        partitions.every(({ leaderId, replicaNodes }) => leaderId === replicaNodes[0]),
      )
    }
    await waitFor(`the preferred leaders of ${names.join()}`, isEven, 180_000)
  }

  /** What a broker does right after its start is no part of what is measured. */
  async rest(ms = 500): Promise<void> {
    await delay(ms)
  }

  #anyClient(): Promise<RawClient> {
    const [id] = this.brokers.keys()
    if (id === undefined) throw new Error('no broker is there')
    return RawClient.connect(this.addressOf(id))
  }

  async #killAll(): Promise<void> {
    await Promise.all([...this.brokers.keys()].map((id) => this.kill(id)))
  }
}
