// What `odradek cluster` makes of a cluster's answers: who leads what, what is not as it should be, and why.

import type { DescribeClusterResponse } from '../protocol/apis/describe-cluster.ts'
import type { ListPartitionReassignmentsResponse } from '../protocol/apis/list-partition-reassignments.ts'
import type { MetadataResponse } from '../protocol/apis/metadata.ts'

export interface ClusterReport {
  readonly clusterId: string
  /** Null: nobody, at the moment. */
  readonly controllerId: number | null
  /** By id; also those that are away. */
  readonly brokers: readonly ReportedBroker[]
  readonly topics: number
  readonly partitions: number
  /** Without a leader; by topic and partition. */
  readonly offline: readonly ReportedPartition[]
  /** With a leader, and not with all replicas in sync. */
  readonly underReplicated: readonly ReportedPartition[]
  readonly reassignments: readonly ReportedReassignment[]
}

export interface ReportedBroker {
  readonly id: number
  /** Null when nobody knows it any more. */
  readonly address: string | null
  readonly rack: string | null
  readonly away: boolean
  /** Partitions it leads, and of which it holds a replica. */
  readonly leads: number
  readonly replicas: number
}

/** `away`: its broker is not there. `failed`: its broker lives, and the disk under the log does not. `behind`: it has not caught up. */
export type MissingReason = 'away' | 'failed' | 'behind'

export interface ReportedPartition {
  readonly topic: string
  readonly partition: number
  readonly leader: number | null
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  /** Replicas that are not in sync, or cannot lead, and why. */
  readonly missing: readonly { readonly broker: number; readonly reason: MissingReason }[]
}

export interface ReportedReassignment {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
  /** Of those that are added, who have not caught up. */
  readonly waitsFor: readonly number[]
}

export interface ClusterAnswers {
  readonly cluster: DescribeClusterResponse
  readonly metadata: MetadataResponse
  readonly reassignments: ListPartitionReassignmentsResponse['topics']
}

export function reportOf({ cluster, metadata, reassignments }: ClusterAnswers): ClusterReport {
  const there = new Set(cluster.brokers.filter(({ isFenced }) => !isFenced).map(({ brokerId }) => brokerId))
  const partitions = metadata.topics
    .toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
    .flatMap(({ name, partitions: ofTopic }) =>
      ofTopic
        .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
        .map((partition) => reportedPartition(name ?? '', partition, there)),
    )
  return {
    clusterId: cluster.clusterId,
    controllerId: cluster.controllerId === -1 ? null : cluster.controllerId,
    brokers: reportedBrokers(cluster.brokers, partitions),
    topics: metadata.topics.length,
    partitions: partitions.length,
    offline: partitions.filter(({ leader }) => leader === null),
    underReplicated: partitions.filter(({ leader, missing }) => leader !== null && missing.length > 0),
    reassignments: reassignments.flatMap(({ name, partitions: moving }) =>
      moving.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => {
        const at = partitions.find(({ topic, partition }) => topic === name && partition === partitionIndex)
        return {
          topic: name,
          partition: partitionIndex,
          replicas,
          adding: addingReplicas,
          removing: removingReplicas,
          waitsFor: addingReplicas.filter((id) => at?.inSync.includes(id) !== true),
        }
      }),
    ),
  }
}

/** Whether every partition has a leader and all of its replicas. */
export function isSound({ offline, underReplicated }: ClusterReport): boolean {
  return offline.length === 0 && underReplicated.length === 0
}

type MetadataPartition = MetadataResponse['topics'][number]['partitions'][number]

function reportedPartition(
  topic: string,
  { partitionIndex, leaderId, replicaNodes, isrNodes, offlineReplicas }: MetadataPartition,
  there: ReadonlySet<number>,
): ReportedPartition {
  const reasonOf = (id: number): MissingReason => {
    if (!there.has(id)) return 'away'
    return offlineReplicas.includes(id) ? 'failed' : 'behind'
  }
  const missing = replicaNodes
    .filter((id) => !isrNodes.includes(id) || offlineReplicas.includes(id))
    .map((broker) => ({ broker, reason: reasonOf(broker) }))
  return {
    topic,
    partition: partitionIndex,
    leader: leaderId === -1 ? null : leaderId,
    replicas: replicaNodes,
    inSync: isrNodes,
    missing,
  }
}

function reportedBrokers(
  brokers: DescribeClusterResponse['brokers'],
  partitions: readonly ReportedPartition[],
): ReportedBroker[] {
  const counts = new Map<number, { leads: number; replicas: number }>()
  const countOf = (id: number) => {
    let count = counts.get(id)
    if (count === undefined) counts.set(id, (count = { leads: 0, replicas: 0 }))
    return count
  }
  for (const { leader, replicas } of partitions) {
    if (leader !== null) countOf(leader).leads++
    for (const id of replicas) countOf(id).replicas++
  }
  const known = new Map(brokers.map((broker) => [broker.brokerId, broker]))
  const ids = new Set([...known.keys(), ...counts.keys()])
  return [...ids]
    .toSorted((a, b) => a - b)
    .map((id) => {
      const broker = known.get(id)
      const { leads, replicas } = countOf(id)
      const host = broker?.host ?? ''
      const address = broker === undefined ? null : `${host.includes(':') ? `[${host}]` : host}:${broker.port}`
      return { id, address, rack: broker?.rack ?? null, away: broker?.isFenced ?? true, leads, replicas }
    })
}
