// What the log remembers of one KIP-848 group. Changed by `apply` alone, live and when the log is read.

import { invariant } from '../../../lib/invariant.ts'
import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { ConsumerGroupRecord, MemberSubscription, ResolvedRegex } from './consumer-group-record.ts'
import { type ConsumerMember, isReconciled, leavingEpoch, newMember, regexOf, sameNames } from './consumer-member.ts'
import { type MemberPartitions, noPartitions } from './member-partitions.ts'
import { Subscriptions } from './subscriptions.ts'

/** As ListGroups and ConsumerGroupDescribe name it. A group that the coordinator does not have is Dead. */
export type ConsumerGroupStateName = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

export const noTarget: AssignedPartitions = new Map()

/** What a step is about to change about the members, and the log has not got yet. */
export interface MemberChange {
  readonly updated?: ConsumerMember
  readonly removed?: ReadonlySet<string>
}

export class ConsumerGroupState {
  readonly #members = new Map<string, ConsumerMember>()
  readonly #byInstance = new Map<string, string>()
  readonly #targets = new Map<string, AssignedPartitions>()
  readonly #regexes = new Map<string, ResolvedRegex>()
  /** Members by regular expression. */
  readonly #regexMembers = new Map<string, number>()
  /** Who has a partition, or has yet to give it up: topic id -> partition -> member id. */
  readonly #owners = new Map<string, Map<number, string>>()
  #subscriptions: Subscriptions | null = null
  /** The list of topics that was put last: members that read the same share it, as most members of a group do. */
  #sharedNames: readonly string[] = []
  #epoch = 1
  #metadataHash = 0n
  #targetEpoch = 1
  #targetTimestamp = 0
  #hasPartitionMetadata = false

  /** Grows with every change that needs a new target. */
  get epoch(): number {
    return this.#epoch
  }

  get metadataHash(): bigint {
    return this.#metadataHash
  }

  /** The group epoch that the target is for; -1 while the group is being deleted. */
  get targetEpoch(): number {
    return this.#targetEpoch
  }

  /** Wall milliseconds, 0 when unknown. */
  get targetTimestamp(): number {
    return this.#targetTimestamp
  }

  /** The log still has a record of Kafka 4.0 that nobody needs. */
  get hasPartitionMetadata(): boolean {
    return this.#hasPartitionMetadata
  }

  get size(): number {
    return this.#members.size
  }

  get members(): Iterable<ConsumerMember> {
    return this.#members.values()
  }

  get regexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#regexes
  }

  get name(): ConsumerGroupStateName {
    if (this.#members.size === 0) return 'Empty'
    if (this.#epoch > this.#targetEpoch) return 'Assigning'
    for (const member of this.members) if (!isReconciled(member, this.#targetEpoch)) return 'Reconciling'
    return 'Stable'
  }

  member(memberId: string): ConsumerMember | undefined {
    return this.#members.get(memberId)
  }

  /** The static member that holds this instance id (KIP-345). */
  holderOf(instanceId: string): ConsumerMember | undefined {
    const memberId = this.#byInstance.get(instanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  /** Undefined when no target has ever been computed for it. */
  targetOf(memberId: string): AssignedPartitions | undefined {
    return this.#targets.get(memberId)
  }

  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** Whether any member reads topics by a regular expression. */
  get usesRegexes(): boolean {
    return this.#regexMembers.size > 0
  }

  /** Regular expressions that members have. */
  get regexesInUse(): Iterable<string> {
    return this.#regexMembers.keys()
  }

  membersWith(regex: string): number {
    return this.#regexMembers.get(regex) ?? 0
  }

  get subscriptions(): Subscriptions {
    this.#subscriptions ??= new Subscriptions(this.members, this.#regexes)
    return this.#subscriptions
  }

  /** The members as they will be. */
  *membersAfter({ updated, removed }: MemberChange): Generator<ConsumerMember> {
    for (const member of this.members) {
      if (member.memberId !== updated?.memberId && removed?.has(member.memberId) !== true) yield member
    }
    if (updated !== undefined) yield updated
  }

  apply(record: ConsumerGroupRecord): void {
    switch (record.kind) {
      case 'consumerEpoch':
        // Deleted: whoever keeps the groups forgets this one.
        if (record.value === null) break
        this.#epoch = record.value.epoch
        this.#metadataHash = record.value.metadataHash
        break
      case 'consumerPartitionMetadata':
        this.#hasPartitionMetadata = record.value !== null
        break
      case 'consumerMember':
        if (record.value === null) this.#remove(record.memberId)
        else this.#put({ ...this.#memberOrNew(record.memberId), ...this.#sharing(record.value) })
        break
      case 'consumerTargetEpoch':
        this.#targetEpoch = record.value?.assignmentEpoch ?? -1
        this.#targetTimestamp = record.value?.assignmentTimestamp ?? 0
        break
      case 'consumerTarget':
        if (record.value === null) this.#targets.delete(record.memberId)
        else this.#targets.set(record.memberId, record.value)
        break
      case 'consumerAssignment':
        if (record.value !== null) this.#put({ ...this.#memberOrNew(record.memberId), ...record.value })
        else if (this.#members.has(record.memberId)) this.#put(departed(this.#memberOrNew(record.memberId)))
        break
      case 'consumerRegex':
        this.#subscriptions = null
        if (record.value === null) this.#regexes.delete(record.regex)
        else this.#regexes.set(record.regex, record.value)
    }
  }

  #sharing(value: MemberSubscription): MemberSubscription {
    if (!sameNames(value.subscribedTopicNames, this.#sharedNames)) this.#sharedNames = value.subscribedTopicNames
    return { ...value, subscribedTopicNames: this.#sharedNames }
  }

  #memberOrNew(memberId: string): ConsumerMember {
    return this.#members.get(memberId) ?? newMember(memberId)
  }

  #put(member: ConsumerMember): void {
    this.#forget(member.memberId)
    this.#subscriptions = null
    this.#members.set(member.memberId, member)
    if (member.instanceId !== null) this.#byInstance.set(member.instanceId, member.memberId)
    this.#own(member.memberId, member.assignedPartitions)
    this.#own(member.memberId, member.partitionsPendingRevocation)
    const regex = regexOf(member)
    if (regex !== null) this.#regexMembers.set(regex, this.membersWith(regex) + 1)
  }

  #remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#forget(memberId)
    this.#subscriptions = null
    this.#members.delete(memberId)
    const { instanceId } = member
    if (instanceId !== null && this.#byInstance.get(instanceId) === memberId) this.#byInstance.delete(instanceId)
  }

  /** What follows from the member as it was. */
  #forget(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#disown(memberId, member.assignedPartitions)
    this.#disown(memberId, member.partitionsPendingRevocation)
    const regex = regexOf(member)
    if (regex === null) return
    const others = this.membersWith(regex) - 1
    invariant(others >= 0, 'a regular expression has as many members as have it')
    if (others === 0) this.#regexMembers.delete(regex)
    else this.#regexMembers.set(regex, others)
  }

  #own(memberId: string, partitions: MemberPartitions): void {
    for (const [topicId, epochs] of partitions) {
      let owners = this.#owners.get(topicId)
      if (owners === undefined) this.#owners.set(topicId, (owners = new Map()))
      for (const partition of epochs.keys()) owners.set(partition, memberId)
    }
  }

  /** A log that has been compacted may name the new owner before it lets go of the old one: the new one stays. */
  #disown(memberId: string, partitions: MemberPartitions): void {
    for (const [topicId, epochs] of partitions) {
      const owners = this.#owners.get(topicId)
      if (owners === undefined) continue
      for (const partition of epochs.keys()) if (owners.get(partition) === memberId) owners.delete(partition)
      if (owners.size === 0) this.#owners.delete(topicId)
    }
  }
}

function departed(member: ConsumerMember): ConsumerMember {
  return {
    ...member,
    memberEpoch: leavingEpoch,
    previousMemberEpoch: leavingEpoch,
    assignedPartitions: noPartitions,
    partitionsPendingRevocation: noPartitions,
  }
}
