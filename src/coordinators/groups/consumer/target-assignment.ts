// What the members of a group are meant to have: computed by one of the broker's assignors, for one group epoch.

import type { Millis } from '../../../io/clock.ts'
import type { AssignedPartitions, Assignor, AssignorMember, AssignorTopic } from '../assignors/assignor.ts'
import type { TopicsView } from '../topics-view.ts'
import type { ConsumerGroupHost } from './consumer-group-host.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { type MemberChange, noTarget } from './consumer-group-state.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { sameTarget } from './member-partitions.ts'
import { type ResolvedRegexes, Subscriptions, topicsReadBy } from './subscriptions.ts'

/** What one member is to follow. */
export interface DueTarget {
  readonly epoch: number
  readonly target: AssignedPartitions
  /** For the log, when it is new. */
  readonly records: readonly ConsumerGroupRecord[]
}

/**
 * The target that `updated` is to follow: a new one when the group's epoch asks for it and the last one is not too young. `replaces`:
 * whose place the member takes.
 */
export function nextTarget(
  { groupId, group, context }: Pick<ConsumerGroupHost, 'groupId' | 'group' | 'context'>,
  change: MemberChange & { readonly updated: ConsumerMember },
  epoch: number,
  replaces: ConsumerMember | null,
  now: Millis,
): DueTarget {
  const { memberId } = change.updated
  const heirOf = (id: string) => (id === memberId && replaces !== null ? replaces.memberId : id)
  const { assignmentIntervalMs } = context.configs.consumerGroup(groupId)
  if (group.targetEpoch >= epoch || isTooYoung(group.targetTimestamp, assignmentIntervalMs, now)) {
    return { epoch: group.targetEpoch, target: group.targetOf(heirOf(memberId)) ?? noTarget, records: [] }
  }
  const members = [...group.membersAfter(change)]
  const computed = computeTarget({
    groupId,
    epoch,
    members,
    regexes: group.regexes,
    topics: context.topics,
    assignor: assignorFor(members, context.assignors),
    now,
    targetOf: (id) => group.targetOf(id),
    heirOf,
  })
  return { epoch, target: computed.of(memberId), records: computed.records }
}

interface TargetInput {
  readonly groupId: string
  /** The epoch to compute it for. */
  readonly epoch: number
  readonly members: readonly ConsumerMember[]
  readonly regexes: ResolvedRegexes
  readonly topics: TopicsView
  readonly assignor: Assignor
  readonly now: Millis
  /** What the log says the member is meant to have. */
  targetOf(memberId: string): AssignedPartitions | undefined
  /** Whose target a member inherits: a static member's, that of the one it replaces. */
  heirOf(memberId: string): string
}

interface Target {
  /** What differs from before, then the target's epoch. */
  readonly records: readonly ConsumerGroupRecord[]
  of(memberId: string): AssignedPartitions
}

function computeTarget(input: TargetInput): Target {
  const { groupId, epoch, members, regexes, topics, assignor, now } = input
  const read = new Map<string, AssignorTopic>()
  const assignorMembers = members.map((member): AssignorMember => {
    const { memberId, instanceId, rackId } = member
    const topicIds = new Set<string>()
    for (const name of topicsReadBy(member, regexes)) {
      const topic = topics.byName(name)
      if (topic === null) continue
      topicIds.add(topic.id)
      read.set(topic.id, {
        topicId: topic.id,
        name,
        partitionCount: topic.partitionCount,
        racksOf: (partition) => topic.racksOf(partition),
      })
    }
    return { memberId, instanceId, rackId, topicIds, target: input.targetOf(input.heirOf(memberId)) ?? noTarget }
  })
  const { homogeneous } = new Subscriptions(members, regexes)
  const assigned = assignor.assign({ members: assignorMembers, topics: [...read.values()], homogeneous })
  const of = (memberId: string) => assigned.get(memberId) ?? noTarget
  const records: ConsumerGroupRecord[] = []
  for (const { memberId } of members) {
    const [before, value] = [input.targetOf(memberId), of(memberId)]
    if (before === undefined || !sameTarget(before, value)) {
      records.push({ kind: 'consumerTarget', groupId, memberId, value })
    }
  }
  records.push({
    kind: 'consumerTargetEpoch',
    groupId,
    value: { assignmentEpoch: epoch, assignmentTimestamp: now },
  })
  return { records, of }
}

/** The assignor most members ask for, of equals the first in the broker's list; that one also when nobody asks. */
export function assignorFor(members: Iterable<ConsumerMember>, assignors: readonly Assignor[]): Assignor {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  const votesFor = ({ name }: Assignor) => votes.get(name) ?? 0
  return assignors.reduce((best, each) => (votesFor(each) > votesFor(best) ? each : best))
}

/**
 * Whether the last target is too young to be followed by another. Not when nobody knows its age: so one that another broker computed
 * later than it is here, by its clock, holds nobody up (in Kafka the group waits until the clocks agree).
 */
export function isTooYoung(targetTimestamp: Millis, intervalMs: Millis, now: Millis): boolean {
  return targetTimestamp !== 0 && now >= targetTimestamp && now < targetTimestamp + intervalMs
}
