// A broker's topics for tests of handlers: simulated logs under a real replica set, an image that tests change, a simulated clock.

import type { ClusterImage, ClusterView } from '../cluster/image.ts'
import { type BrokerSettings, brokerSettings } from '../cluster/settings/broker-settings.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { buildBatch, type BatchOptions } from '../records/batch-builder.ts'
import { changeBetween, emptyImage, imageOf, thisBroker, type TopicSketch } from '../replication/image.sim.ts'
import { SimulatedLog } from '../replication/log.sim.ts'
import type { Partition } from '../replication/partition.ts'
import { type PartitionLogs, ReplicaSet } from '../replication/replica-set.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { AnswerSize } from './answer-size.ts'
import { FetchTurns } from './fetch-turns.ts'
import type { ConnectionInfo, RequestContext } from './handler.ts'
import type { Services } from './services.ts'
import { WaitingFetches } from './waiting-fetches.ts'

export class ServedTopics {
  readonly clock = new SimulatedClock()
  readonly logs = new Map<string, SimulatedLog>()
  readonly settings: BrokerSettings
  readonly replicas: ReplicaSet
  readonly fetchSessions: FetchSessions
  readonly waitingFetches: WaitingFetches
  readonly connection = new AbortController()
  readonly #client = connectionInfo(this.connection.signal)
  image: ClusterImage = emptyImage
  /** Whether this broker's lease holds. */
  leaseHolds = true
  /** Logs that cannot be opened, by name. */
  readonly broken = new Set<string>()

  /** `immediate`: whether every append is durable at once; otherwise the test moves the logs on. `logs`: real ones instead. */
  constructor({
    immediate = true,
    settings = {},
    fetchesMax,
    logs,
  }: { immediate?: boolean; settings?: Record<string, string>; fetchesMax?: number; logs?: PartitionLogs } = {}) {
    this.settings = brokerSettings(settings)
    this.replicas = new ReplicaSet({
      brokerId: thisBroker,
      logs: logs ?? {
        openLog: async ({ topicName, partition }) => {
          const log = new SimulatedLog(`${topicName}-${partition}`, { immediate })
          if (this.broken.has(log.name)) throw new Error('EIO')
          this.logs.set(log.name, log)
          return log
        },
        deleteLog: async () => undefined,
        highWatermarkOf: () => 0,
      },
      settings: this.settings,
      logger: silentLogger,
      cluster: {
        clock: this.clock,
        membership: { valid: () => this.leaseHolds, epoch: 1, fence: { key: '', modRevision: 0 } },
      },
    })
    this.fetchSessions = new FetchSessions({
      clock: this.clock,
      random: seededRandom(1),
      slotsMax: this.settings.maxIncrementalFetchSessionCacheSlots,
    })
    this.waitingFetches = new WaitingFetches({ clock: this.clock, ...(fetchesMax === undefined ? {} : { fetchesMax }) })
  }

  /** Makes the cluster have these topics and no others, and waits until their logs are open. */
  async become(...topics: TopicSketch[]): Promise<void> {
    const before = this.image
    this.image = imageOf(topics)
    this.replicas.apply(changeBetween(before, this.image))
    await this.replicas.ready()
  }

  partition(topic: string, index = 0): Partition {
    return this.replicas.find(topic, index)!
  }

  log(topic: string, index = 0): SimulatedLog {
    return this.logs.get(`${topic}-${index}`)!
  }

  /** Appends a batch of these values and waits until it is committed; answers its size in bytes. */
  async fill(topic: string, index: number, values: readonly string[], options: BatchOptions = {}): Promise<number> {
    const batch = batchOf(values, options)
    const size = batch.length
    const partition = this.partition(topic, index)
    const appended = partition.append(batch, 'client')
    if (!appended.ok) throw new Error(appended.refusal)
    await partition.committed(appended.lastOffset + 1)
    return size
  }

  /** What a handler gets with a request of this version. */
  context(apiVersion: number, clientId: string | null = 'test'): RequestContext & Pick<Services, ServedNeeds> {
    const cluster: ClusterView = {
      image: emptyImage,
      subscribe: () => () => undefined,
      reached: () => Promise.resolve(),
      upToDate: () => Promise.resolve(),
    }
    Object.defineProperty(cluster, 'image', { get: () => this.image })
    return {
      connection: this.#client,
      apiVersion,
      clientId,
      principal: 'User:ANONYMOUS',
      clock: this.clock,
      logger: silentLogger,
      settings: this.settings,
      cluster,
      replicas: this.replicas,
      fetchSessions: this.fetchSessions,
      waitingFetches: this.waitingFetches,
      endpointFor: (id) => (id > 0 ? { listener: 'PLAINTEXT', host: `broker-${id}`, port: 9090 + id } : null),
    }
  }
}

type ServedNeeds =
  | 'clock'
  | 'logger'
  | 'settings'
  | 'cluster'
  | 'replicas'
  | 'fetchSessions'
  | 'waitingFetches'
  | 'endpointFor'

export function batchOf(values: readonly string[], options: BatchOptions = {}): Uint8Array {
  return buildBatch(
    values.map((value) => ({ value })),
    options,
  )
}

function connectionInfo(signal: AbortSignal): ConnectionInfo {
  return {
    id: 1,
    listener: 'PLAINTEXT',
    localHost: 'localhost',
    localPort: 9092,
    remoteAddress: '127.0.0.1',
    remotePort: 50_000,
    clientSoftwareName: 'unknown',
    clientSoftwareVersion: 'unknown',
    fetchTurns: new FetchTurns(),
    answerSize: new AnswerSize(),
    signal,
  }
}
