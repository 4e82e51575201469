// What those who watch a consumer group are told: who came, what moved, and when the group was at rest again.

import type { Millis } from '../../../io/clock.ts'
import type { GroupEffect } from '../group-event.ts'
import { type Happening, noted } from '../history/group-note.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import type { FoundMember } from './consumer-group-host.ts'
import type { ConsumerGroupState, MemberChange } from './consumer-group-state.ts'
import { type ConsumerMember, isReconciled, notedMember, regexOf, sameTopicNames } from './consumer-member.ts'
import { noPartitions, without } from './member-partitions.ts'
import { assignorFor } from './target-assignment.ts'

/** What a step has decided on, seen from one member. */
export interface Step {
  readonly before: ConsumerMember
  readonly after: ConsumerMember
  readonly change: MemberChange
  /** The group's epoch from now on, and that of its target. */
  readonly epoch: number
  readonly targetEpoch: number
}

export class GroupProgress {
  readonly #groupId: string
  readonly #group: ConsumerGroupState
  readonly #context: ConsumerGroupContext
  /** Wall milliseconds at which the group began to move, or null while it rests. */
  #movingSince: Millis | null = null

  constructor(groupId: string, group: ConsumerGroupState, context: ConsumerGroupContext) {
    this.#groupId = groupId
    this.#group = group
    this.#context = context
  }

  /** Of a group that was on its way when its coordinator stopped, nobody knows since when. */
  loaded(now: Millis): void {
    if (this.#group.name !== 'Empty' && this.#group.name !== 'Stable') this.#movingSince = now
  }

  told(what: Happening): GroupEffect {
    return noted(this.#groupId, what)
  }

  /** A member came, came back, or reads something else. */
  described({ member, replaces }: FoundMember, described: ConsumerMember): GroupEffect[] {
    const who = notedMember(described)
    if (replaces !== null) return [this.told({ kind: 'memberReplaced', member: who, oldMemberId: replaces.memberId })]
    if (this.#group.member(member.memberId) === undefined) return [this.told({ kind: 'memberJoined', member: who })]
    if (sameTopicNames(member, described) && regexOf(member) === regexOf(described)) return []
    const [topics, regex] = [described.subscribedTopicNames, regexOf(described)]
    return [this.told({ kind: 'subscriptionChanged', member: who, topics, regex })]
  }

  stepped({ before, after, change, epoch, targetEpoch }: Step, now: Millis): GroupEffect[] {
    const effects = epoch > this.#group.epoch ? this.startsToMove(now) : []
    const gained = this.#named(without(after.assignedPartitions, before.assignedPartitions))
    const lost = this.#named(without(before.assignedPartitions, after.assignedPartitions))
    if (gained.length > 0 || lost.length > 0) {
      effects.push(this.told({ kind: 'assignmentChanged', member: notedMember(after), gained, lost }))
    }
    if (this.#movingSince === null || targetEpoch < epoch || !isReconciled(after, targetEpoch)) return effects
    const members = [...this.#group.membersAfter(change)]
    if (!members.every((member) => isReconciled(member, targetEpoch))) return effects
    return [...effects, this.rests(targetEpoch, members, now)]
  }

  startsToMove(now: Millis): GroupEffect[] {
    if (this.#movingSince !== null) return []
    this.#movingSince = now
    return [this.told({ kind: 'rebalanceStarted', reason: null })]
  }

  rests(epoch: number, members: readonly ConsumerMember[], now: Millis): GroupEffect {
    const durationMs = now - (this.#movingSince ?? now)
    this.#movingSince = null
    const protocol = members.length === 0 ? null : assignorFor(members, this.#context.assignors).name
    return this.told({ kind: 'rebalanceEnded', epoch, members: members.length, protocol, durationMs })
  }

  /** By name. What it has not given up yet counts as well. */
  ownedBy({ assignedPartitions, partitionsPendingRevocation }: ConsumerMember): string[] {
    return [assignedPartitions, partitionsPendingRevocation].flatMap((each) => this.#named(without(each, noPartitions)))
  }

  #named(partitions: readonly { readonly topicId: string; readonly partition: number }[]): string[] {
    return partitions.map(({ topicId, partition }) => {
      return `${this.#context.topics.byId(topicId)?.name ?? topicId}-${partition}`
    })
  }
}
