// What the handlers of cluster metadata need, for their tests: a small cluster in memory, without logs.

import { BrokerAdmin } from '../../cluster/broker-admin.ts'
import { PartitionAdmin } from '../../cluster/partition-admin.ts'
import { ProducerIds } from '../../cluster/producer-ids.ts'
import { ResourceConfigs } from '../../cluster/resource-configs.ts'
import { SmallCluster, type SmallClusterOptions } from '../../cluster/small-cluster.sim.ts'
import { TopicGrowth } from '../../cluster/topic-growth.ts'
import { AnswerSize } from '../answer-size.ts'
import { FetchTurns } from '../fetch-turns.ts'
import type { RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'

type AdministeredServices = Pick<
  Services,
  | 'brokerId'
  | 'clock'
  | 'settings'
  | 'cluster'
  | 'topics'
  | 'topicGrowth'
  | 'partitionAdmin'
  | 'topicConfigs'
  | 'brokerConfigs'
  | 'groupConfigs'
  | 'brokerAdmin'
  | 'producerIds'
  | 'endpointFor'
>

export class AdministeredCluster {
  readonly cluster: SmallCluster
  readonly #producerIds: ProducerIds

  static async start(options: SmallClusterOptions = {}): Promise<AdministeredCluster> {
    return new AdministeredCluster(await SmallCluster.start(options))
  }

  private constructor(cluster: SmallCluster) {
    this.cluster = cluster
    const { store, clock, brokers } = cluster
    this.#producerIds = new ProducerIds({ store, clock, membership: cluster.membershipOf([...brokers.keys()][0]!) })
  }

  /** Of a request that comes to the first broker. Brokers have addresses on the listener PLAINTEXT alone. */
  context(apiVersion: number, listener = 'PLAINTEXT'): RequestContext & AdministeredServices {
    const { store, view, random, topics, topicConfigs, settings, clock, brokers } = this.cluster
    const brokerId = [...brokers.keys()][0]!
    const membership = this.cluster.membershipOf(brokerId)
    const administration = { store, view, settings, membership, brokerId, clock, random, served: async () => {} }
    return {
      connection: {
        id: 1,
        listener,
        localHost: '127.0.0.1',
        localPort: 9092,
        remoteAddress: '127.0.0.1',
        remotePort: 50_000,
        clientSoftwareName: 'test',
        clientSoftwareVersion: '1',
        fetchTurns: new FetchTurns(),
        answerSize: new AnswerSize(),
        signal: new AbortController().signal,
      },
      apiVersion,
      clientId: 'test',
      principal: 'User:ANONYMOUS',
      brokerId,
      clock,
      settings,
      cluster: view,
      topics,
      topicGrowth: new TopicGrowth(administration),
      partitionAdmin: new PartitionAdmin(administration),
      topicConfigs,
      brokerConfigs: ResourceConfigs.ofBrokers(administration),
      groupConfigs: ResourceConfigs.ofGroups(administration),
      brokerAdmin: new BrokerAdmin(administration),
      producerIds: this.#producerIds,
      endpointFor: (id, connection) =>
        view.image.brokers.get(id)?.endpoints.find((endpoint) => endpoint.listener === connection.listener) ?? null,
    }
  }

  async create(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const topic = {
      name,
      partitions,
      replicationFactor: -1,
      assignments: [],
      configs: new Map(Object.entries(configs)),
    }
    const [created] = await this.cluster.topics.create([topic], { validateOnly: false })
    if (created === undefined || !created.ok) throw new Error(created?.message)
    return created.id!
  }
}
