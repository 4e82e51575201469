// Whether this broker serves a partition to a request, and if not, what the client is told (ReplicaManager.getPartitionOrException,
// Partition.getLocalLog). No allocation: a partition or a code.

import type { ClusterImage } from '../cluster/image.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { Partition } from '../replication/partition.ts'
import type { ConnectionInfo } from './handler.ts'
import type { Services } from './services.ts'

/** `-1` as `currentLeaderEpoch` asks for no check. */
export function servedPartition(
  services: Pick<Services, 'replicas' | 'cluster'>,
  topic: string,
  index: number,
  currentLeaderEpoch: number,
  anyReplica = false,
): Partition | ErrorCode {
  const partition = services.replicas.find(topic, index)
  if (partition !== undefined) return servable(partition, currentLeaderEpoch, anyReplica)
  const isKnown = services.cluster.image.topicsByName.get(topic)?.partitions[index] !== undefined
  return isKnown ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/** A partition that is here, if it may be served: disk, then epoch, then leadership; `anyReplica`: a follower may serve it, too. */
export function servable(partition: Partition, currentLeaderEpoch: number, anyReplica = false): Partition | ErrorCode {
  if (partition.state === 'offline') return ErrorCode.KAFKA_STORAGE_ERROR
  const epoch = partition.checkEpoch(currentLeaderEpoch)
  if (epoch !== null) return epoch === 'fenced' ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
  return partition.isLeading || (anyReplica && partition.state === 'following')
    ? partition
    : ErrorCode.NOT_LEADER_OR_FOLLOWER
}

export interface LeaderIdAndEpoch {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export const unknownLeader: LeaderIdAndEpoch = { leaderId: -1, leaderEpoch: -1 }

/** Who leads a partition by the newest image; for answers that spare the client a metadata request (KIP-951). */
export function currentLeader(image: ClusterImage, topic: string, index: number): LeaderIdAndEpoch {
  const partition = image.topicsByName.get(topic)?.partitions[index]
  return partition === undefined ? unknownLeader : { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch }
}

export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Where to find the brokers an answer names as leaders, each once. */
export class NodeEndpoints {
  readonly endpoints: NodeEndpoint[] = []
  readonly #services: Pick<Services, 'cluster' | 'endpointFor'>
  readonly #connection: ConnectionInfo

  constructor(services: Pick<Services, 'cluster' | 'endpointFor'>, connection: ConnectionInfo) {
    this.#services = services
    this.#connection = connection
  }

  add(nodeId: number): void {
    if (nodeId < 0 || this.endpoints.some((known) => known.nodeId === nodeId)) return
    const endpoint = this.#services.endpointFor(nodeId, this.#connection)
    if (endpoint === null) return
    const rack = this.#services.cluster.image.brokers.get(nodeId)?.rack ?? null
    this.endpoints.push({ nodeId, host: endpoint.host, port: endpoint.port, rack })
  }
}
