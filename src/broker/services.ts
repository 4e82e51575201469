// Everything a handler may ask for, by name. Built once by the composition root; a handler's type says which it touches.

import type { BrokerAdmin } from '../cluster/broker-admin.ts'
import type { ClusterView, EndpointImage } from '../cluster/image.ts'
import type { PartitionAdmin } from '../cluster/partition-admin.ts'
import type { ProducerIds } from '../cluster/producer-ids.ts'
import type { ResourceConfigs } from '../cluster/resource-configs.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { TopicAdmin } from '../cluster/topic-admin.ts'
import type { TopicConfigs } from '../cluster/topic-configs.ts'
import type { TopicGrowth } from '../cluster/topic-growth.ts'
import type { GroupCoordinator } from '../coordinators/groups/group-coordinator.ts'
import type { Clock } from '../io/clock.ts'
import type { Volume } from '../io/disk.ts'
import type { Logger } from '../lib/logger.ts'
import type { ReplicaSet } from '../replication/replica-set.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { ConnectionInfo } from './handler.ts'
import type { WaitingFetches } from './waiting-fetches.ts'

/** Where the logs of this broker lie. */
export interface LogFolder {
  /** Absolute. */
  readonly path: string
  /** Rejects with the disk's faults. */
  volume(): Promise<Volume>
}

export interface Services {
  readonly brokerId: number
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: BrokerSettings
  readonly cluster: ClusterView
  readonly topics: TopicAdmin
  readonly topicGrowth: TopicGrowth
  readonly partitionAdmin: PartitionAdmin
  readonly topicConfigs: TopicConfigs
  readonly brokerConfigs: ResourceConfigs
  readonly groupConfigs: ResourceConfigs
  readonly brokerAdmin: BrokerAdmin
  readonly producerIds: ProducerIds
  readonly replicas: ReplicaSet
  readonly logFolder: LogFolder
  readonly fetchSessions: FetchSessions
  readonly waitingFetches: WaitingFetches
  readonly groups: GroupCoordinator
  /** Where clients of `connection` reach broker `id`: its advertised listener, else the address this client used. Null when unknown. */
  readonly endpointFor: (brokerId: number, connection: ConnectionInfo) => EndpointImage | null
}
