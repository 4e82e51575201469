// What the log remembers of a KIP-848 group, one kind of record each. A null value takes it out of the log.

import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { MemberPartitions } from './member-partitions.ts'

export interface GroupEpoch {
  readonly epoch: number
  /** Of the topics the group reads; 64 bits, signed as Kafka writes them. */
  readonly metadataHash: bigint
}

export interface TargetEpoch {
  readonly assignmentEpoch: number
  /** Wall milliseconds at which the target was computed; 0 when unknown. */
  readonly assignmentTimestamp: number
}

/** A member of the classic protocol in a group of the new one (KIP-848, online migration). */
export interface ClassicMetadata {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Uint8Array }[]
}

/** What a member said of itself. */
export interface MemberSubscription {
  /** KIP-345. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  /** Null and empty mean that there is none. */
  readonly subscribedTopicRegex: string | null
  /** -1 when the member has not said. */
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  readonly classicMemberMetadata: ClassicMetadata | null
}

/** As the log numbers them; another broker's version may know more. */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased' | 'unknown'

/** What a member has. */
export interface MemberAssignment {
  /** -1: has left. -2: a static member that will be back. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assignedPartitions: MemberPartitions
  readonly partitionsPendingRevocation: MemberPartitions
}

export interface ResolvedRegex {
  readonly topics: readonly string[]
  /** Revision of the cluster's metadata it was looked up in. */
  readonly version: number
  /** Wall milliseconds. */
  readonly timestamp: number
}

interface OfGroup {
  readonly groupId: string
}

interface OfMember extends OfGroup {
  readonly memberId: string
}

export type ConsumerGroupRecord =
  | (OfGroup & { readonly kind: 'consumerEpoch'; readonly value: GroupEpoch | null })
  /** Written by Kafka 4.0 and before; what it says is of no use any more. */
  | (OfGroup & { readonly kind: 'consumerPartitionMetadata'; readonly value: 'outdated' | null })
  | (OfMember & { readonly kind: 'consumerMember'; readonly value: MemberSubscription | null })
  | (OfGroup & { readonly kind: 'consumerTargetEpoch'; readonly value: TargetEpoch | null })
  | (OfMember & { readonly kind: 'consumerTarget'; readonly value: AssignedPartitions | null })
  | (OfMember & { readonly kind: 'consumerAssignment'; readonly value: MemberAssignment | null })
  | (OfGroup & { readonly kind: 'consumerRegex'; readonly regex: string; readonly value: ResolvedRegex | null })
