// A group of consumers changes protocol while its members work: the same members with the same partitions, in the records of the
// other protocol (KIP-848, online migration). What was committed is the group's under either.

import type { Millis } from '../../../io/clock.ts'
import { invariant } from '../../../lib/invariant.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { AssignedPartitions } from '../assignors/assignor.ts'
import { ClassicMember, type MemberProtocol } from '../classic/classic-member.ts'
import { ClassicRoster } from '../classic/classic-roster.ts'
import { consumerProtocolType } from '../classic/classic-subscription.ts'
import type { GroupGeneration } from '../group-record.ts'
import type { TopicsView } from '../topics-view.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { assignmentRecord, type ConsumerMember, newMember, subscriptionRecord } from './consumer-member.ts'
import { readAssignment, readSubscription, writeAssignment } from './embedded-protocol.ts'
import type { Refusal } from './heartbeat-answer.ts'

/** A classic group as it is. */
export interface ClassicGeneration {
  readonly groupId: string
  readonly generation: number
  /** Null before its first generation is complete. */
  readonly protocol: string | null
  readonly members: readonly ClassicMember[]
}

export interface Upgraded {
  readonly members: readonly ConsumerMember[]
  /** They found the consumer group; its epoch is the generation. */
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
  const { groupId, generation } = classic
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
  const records: ConsumerGroupRecord[] = [
    ...members.map((member) => subscriptionRecord(groupId, member)),
    { kind: 'consumerEpoch', groupId, value: { epoch: generation, metadataHash: hashOf(topicNames) } },
    ...members.map(({ memberId }, index): ConsumerGroupRecord => {
      return { kind: 'consumerTarget', groupId, memberId, value: targets[index]! }
    }),
    { kind: 'consumerTargetEpoch', groupId, value: { assignmentEpoch: generation, assignmentTimestamp: 0 } },
    ...members.map((member) => assignmentRecord(groupId, member)),
  ]
  return { members, records }
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
  readonly targetOf: (memberId: string) => AssignedPartitions | undefined
}

export interface Downgraded {
  readonly value: GroupGeneration
  /** What each member offers: the log keeps only the protocol that is chosen. */
  readonly protocolsOf: ReadonlyMap<string, readonly MemberProtocol[]>
}

/** The classic group that a consumer group becomes: its members' assignments are their targets, which they may not have got to yet. */
export function downgraded({ epoch, members, topics, now, targetOf }: DowngradeInput): Downgraded {
  const roster = new ClassicRoster()
  const protocolsOf = new Map<string, readonly MemberProtocol[]>()
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
    generation: epoch,
    protocol,
    leader: roster.leaderId,
    currentStateTimestamp: now,
    members: Array.from(roster, (member) => {
      const target = targetOf(member.memberId) ?? new Map<string, readonly number[]>()
      return member.toRecord(protocol, writeAssignment(target, member.metadataFor(protocol), topics))
    }),
  }
  return { value, protocolsOf }
}
