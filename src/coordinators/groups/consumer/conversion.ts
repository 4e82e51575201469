// A group of consumers changes protocol while its members work: the same members with the same partitions, in the records of the
// other protocol (KIP-848, online migration). What was committed is the group's under either.

import type { Millis } from '../../../io/clock.ts'
import { invariant } from '../../../lib/invariant.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { ConvertedGroup } from '../classic/classic-conversion.ts'
import { ClassicMember, type MemberProtocol } from '../classic/classic-member.ts'
import { ClassicRoster } from '../classic/classic-roster.ts'
import { consumerProtocolType } from '../classic/classic-subscription.ts'
import type { GroupGeneration } from '../group-record.ts'
import type { TopicsView } from '../topics-view.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { assignmentRecord, type ConsumerMember, newMember, subscriptionRecord } from './consumer-member.ts'
import { responsibleFor } from './consumer-group-view.ts'
import { readAssignment, readSubscription, writeAssignment } from './embedded-protocol.ts'
import type { Refusal } from './heartbeat-answer.ts'

/** A classic group as it is. */
export interface ClassicGeneration {
  readonly groupId: string
  readonly generation: number
  /** Null before its first generation is complete. */
  readonly protocol: string | null
  /** No rebalance is under way: members have all that there is to have. */
  readonly isStable: boolean
  readonly members: readonly ClassicMember[]
}

export interface Upgraded {
  readonly members: readonly ConsumerMember[]
  /**
   * They found the consumer group. Its epoch is the generation, or one more where there has to be a new target whatever follows: a
   * rebalance was cut short, or topics have grown and the leader has not seen it yet. (Kafka relies on a join that changes what the
   * group reads, which a static member's does not.)
   */
  readonly records: readonly ConsumerGroupRecord[]
}

/**
 * The consumer group that a classic one becomes. Its members keep what they have, and their protocol: classic members that are told to
 * rejoin when they are to have something else. Refused when an assignor of the clients' own would lose what it keeps in assignments.
 */
export function upgraded(
  classic: ClassicGeneration,
  topics: TopicsView,
  hashOf: (topicNames: ReadonlySet<string>) => bigint,
): Upgraded | Refusal {
  const { groupId, generation, isStable } = classic
  const members: ConsumerMember[] = []
  const targets: AssignedPartitions[] = []
  for (const member of classic.members) {
    const subscription = readSubscription(subscriptionOf(member, classic.protocol), topics)
    const assignment = readAssignment(member.assignment, topics)
    if (subscription === null || (!assignment.ok && assignment.problem === 'malformed')) {
      return cannotUpgrade(groupId, 'the embedded consumer protocol is malformed')
    }
    if (!assignment.ok) {
      return cannotUpgrade(
        groupId,
        'an unsupported custom assignor is in use. ' +
          'Please refer to the documentation or switch to a default assignor before re-attempting the upgrade',
      )
    }
    targets.push(assignment.partitions)
    members.push({
      ...newMember(member.memberId),
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: subscription.topics,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      classicMemberMetadata: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
      memberEpoch: generation,
      previousMemberEpoch: generation,
      assignedPartitions: new Map(
        Array.from(assignment.partitions, ([id, listed]) => [id, new Map(listed.map((p) => [p, generation]))]),
      ),
    })
  }
  const topicNames = new Set(members.flatMap(({ subscribedTopicNames }) => subscribedTopicNames))
  const needsTarget = !isStable || !coverAll(targets, topicNames, topics)
  const records: ConsumerGroupRecord[] = [
    ...members.map((member) => subscriptionRecord(groupId, member)),
    {
      kind: 'consumerEpoch',
      groupId,
      value: { epoch: needsTarget ? generation + 1 : generation, metadataHash: hashOf(topicNames) },
    },
    ...members.map(({ memberId }, index): ConsumerGroupRecord => {
      return { kind: 'consumerTarget', groupId, memberId, value: targets[index]! }
    }),
    { kind: 'consumerTargetEpoch', groupId, value: { assignmentEpoch: generation, assignmentTimestamp: 0 } },
    ...members.map((member) => assignmentRecord(groupId, member)),
  ]
  return { members, records }
}

function coverAll(
  targets: readonly AssignedPartitions[],
  topicNames: ReadonlySet<string>,
  topics: TopicsView,
): boolean {
  return [...topicNames].every((name) => {
    const topic = topics.byName(name)
    if (topic === null) return true
    const assigned = new Set(targets.flatMap((target) => target.get(topic.id) ?? []))
    return assigned.size >= topic.partitionCount
  })
}

/** Before a protocol is chosen, what the member would like best: consumers say the same under each. */
function subscriptionOf(member: ClassicMember, protocol: string | null): Uint8Array {
  return protocol === null ? (member.protocols[0]?.metadata ?? new Uint8Array(0)) : member.metadataFor(protocol)
}

export function cannotUpgrade(groupId: string, why: string): Refusal {
  return {
    code: ErrorCode.GROUP_ID_NOT_FOUND,
    message: `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`,
  }
}

export interface DowngradeInput {
  /** The consumer group's epoch: the generation to be. */
  readonly epoch: number
  /** Those that stay, all of the classic protocol. There must be one at least. */
  readonly members: readonly ConsumerMember[]
  readonly topics: TopicsView
  readonly now: Millis
  /** Null: the first of the members. */
  readonly leaderId: string | null
  /** Members are about to be asked to rejoin. */
  readonly rebalance: boolean
}

/**
 * The classic group that a consumer group becomes. Members are assigned what they have, so that no partition is somebody's twice should
 * the group be converted again before they have rejoined (Kafka: their targets, which is the same once all have got there).
 */
export function downgraded({ epoch, members, topics, now, leaderId, rebalance }: DowngradeInput): ConvertedGroup {
  const roster = new ClassicRoster()
  const protocolsOf = new Map<string, readonly MemberProtocol[]>()
  const held = new Map(members.map((member) => [member.memberId, responsibleFor(member)]))
  for (const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, classicMemberMetadata } of members) {
    invariant(classicMemberMetadata !== null, 'a member of a classic group has the classic protocol')
    const member = new ClassicMember({ memberId, groupInstanceId: instanceId, clientId, clientHost })
    member.rebalanceTimeoutMs = rebalanceTimeoutMs
    member.sessionTimeoutMs = classicMemberMetadata.sessionTimeoutMs
    member.protocols = classicMemberMetadata.supportedProtocols
    protocolsOf.set(memberId, member.protocols)
    roster.add(member)
  }
  const protocol = roster.selectProtocol()
  const value: GroupGeneration = {
    protocolType: consumerProtocolType,
    // Should this coordinator be lost before the rebalance is over, members find that their generation is not the group's, and rejoin.
    generation: rebalance ? epoch + 1 : epoch,
    protocol,
    leader: leaderId ?? roster.leaderId,
    currentStateTimestamp: now,
    members: Array.from(roster, (member) => {
      const assignment = writeAssignment(held.get(member.memberId)!, member.metadataFor(protocol), topics)
      return member.toRecord(protocol, assignment)
    }),
  }
  return { value, protocolsOf, generation: epoch }
}
