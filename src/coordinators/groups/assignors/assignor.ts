// What a server-side assignor is (KIP-848): from who reads what, to who gets what. Assignors are pure and know nothing of groups;
// the same input gives the same answer, in whatever order members and topics are listed.

/** Partitions by topic id. A topic without partitions is left out; partitions ascend. */
export type AssignedPartitions = ReadonlyMap<string, readonly number[]>

export interface AssignorMember {
  readonly memberId: string
  /** KIP-345; null for a dynamic member. */
  readonly instanceId: string | null
  /** Where it runs (KIP-881); null when it does not say. */
  readonly rackId: string | null
  /** Topics that exist: each is among the input's topics. */
  readonly topicIds: ReadonlySet<string>
  /** What it was last meant to have. May hold topics it no longer reads. */
  readonly target: AssignedPartitions
}

export interface AssignorTopic {
  readonly topicId: string
  readonly name: string
  readonly partitionCount: number
  /** Racks that hold a replica; empty when none is known. */
  racksOf(partition: number): readonly string[]
}

export interface AssignorInput {
  readonly members: readonly AssignorMember[]
  readonly topics: readonly AssignorTopic[]
  /** All members read the same topics. */
  readonly homogeneous: boolean
}

/** Every member of the input is in it, with nothing if need be; each partition somebody reads belongs to exactly one of its readers. */
export type GroupAssignment = ReadonlyMap<string, AssignedPartitions>

export interface Assignor {
  /** As `group.consumer.assignors` and a member's `serverAssignor` name it. */
  readonly name: string
  assign(input: AssignorInput): GroupAssignment
}
