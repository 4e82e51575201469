// A KIP-848 group: the coordinator itself assigns partitions, and members follow one by one, with their heartbeats.
//
//   state        | when                                        | what a member's next heartbeat brings
//   -------------+---------------------------------------------+-----------------------------------------------------------
//   Empty        | no member                                   | (a join) the group's first target
//   Assigning    | group epoch > target epoch                  | a new target, unless the last one is too young
//   Reconciling  | some member is not at the target            | the member's next step towards it (reconciliation.ts)
//   Stable       | every member has what the target gives it   | nothing new
//   Dead         | a group the coordinator does not have (group-shard.ts)
//
//   a member joins, goes, reads other topics; topics it reads change ---> group epoch + 1
//   group epoch > target epoch, on any heartbeat -----------------------> target of the group epoch
//   member epoch < target epoch, on its own heartbeat ------------------> revokes, then takes the target's epoch
//
// A partition goes to its new owner when the old one no longer owns it: has said so, has left, or was silent for too long. All of it
// is in the log; a restart forgets timers, which begin anew, and what was being looked up. Rules are those of Kafka's
// GroupMetadataManager (KIP-848, 345, 1082, 1251).

import type { Millis } from '../../../io/clock.ts'
import type { ConsumerGroupHeartbeatResponse } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { Group } from '../group.ts'
import type { CommitEvent, GroupEffect } from '../group-event.ts'
import type { CommittedOffset, GroupRecord } from '../group-record.ts'
import type { Happening, NotedMember } from '../history/group-note.ts'
import { withOwned } from '../history/last-commit.ts'
import { ClassicMembers } from './classic-members.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import type { ConsumerGroupHost, Followed, FoundMember } from './consumer-group-host.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { ConsumerGroupState, type ConsumerGroupStateName, noTarget } from './consumer-group-state.ts'
import { describeConsumerGroup } from './consumer-group-view.ts'
import {
  assignmentRecord,
  type ConsumerMember,
  isReconciled,
  joiningEpoch,
  leavingEpoch,
  leavingForNowEpoch,
  notedMember,
  sameAssignment,
  sameSubscription,
  sameTopicNames,
  subscriptionRecord,
} from './consumer-member.ts'
import { cancelRevocation, cancelTimers, revocationTimer, sessionTimer } from './consumer-timers.ts'
import { canDowngrade, downgradeByLeaving } from './downgrade.ts'
import { GroupProgress } from './group-progress.ts'
import { GroupSubscription } from './group-subscription.ts'
import { heartbeatRefused, type Refusal } from './heartbeat-answer.ts'
import type { ConsumerGroupEvent, ConsumerHeartbeatEvent, DescribedConsumerGroup } from './heartbeat-event.ts'
import { fencedInUnknownState, findLeaving, findMember } from './member-checks.ts'
import { listed, noPartitions, type OwnedPartitions, samePartitions, withEpoch } from './member-partitions.ts'
import { commitProblem, fetchProblem } from './offset-access.ts'
import { reconcile } from './reconciliation.ts'
import { regexChange } from './regex-subscription.ts'
import { topicsReadBy } from './subscriptions.ts'
import { assignorFor, type DueTarget, nextTarget } from './target-assignment.ts'
import { groupTombstones, memberTombstones } from './tombstones.ts'

export class ConsumerGroup implements Group {
  readonly type = 'consumer'
  readonly groupId: string
  readonly protocolType = 'consumer'
  readonly #context: ConsumerGroupContext
  readonly #group = new ConsumerGroupState()
  readonly #subscription: GroupSubscription
  readonly #progress: GroupProgress
  /** Connections members were last heard on; kept only where a closed one means something. */
  readonly #heardOn = new Map<string, number>()
  readonly #host: ConsumerGroupHost
  readonly #classic: ClassicMembers

  constructor(groupId: string, context: ConsumerGroupContext) {
    this.groupId = groupId
    this.#context = context
    this.#subscription = new GroupSubscription(groupId, this.#group, context)
    this.#progress = new GroupProgress(groupId, this.#group, context)
    this.#host = {
      groupId,
      group: this.#group,
      context,
      follow: (found, described, owned, now) => this.#follow(found, described, owned, now),
      remove: (members, now, what) => this.#remove(members, now, what),
      heard: (memberId, connectionId) => this.#heard(memberId, connectionId),
      tombstones: () => this.tombstones(),
    }
    this.#classic = new ClassicMembers(this.#host)
  }

  get state(): ConsumerGroupStateName {
    return this.#group.name
  }

  get deserted(): boolean {
    return this.#group.size === 0
  }

  /** What the log remembers: to look at. */
  get remembered(): ConsumerGroupState {
    return this.#group
  }

  step(event: ConsumerGroupEvent, now: Millis): GroupEffect[] {
    switch (event.kind) {
      case 'consumerHeartbeat':
        return this.#heartbeatOrLeave(event, now)
      case 'join':
      case 'sync':
      case 'heartbeat':
      case 'leave':
      case 'classicOverdue':
        return this.#classic.step(event, now)
      case 'consumerSessionExpired': {
        const { memberId, silentMs } = event
        return this.#gone(memberId, (member) => ({ kind: 'memberSilent', member, silentMs }), now)
      }
      case 'revocationOverdue': {
        const { memberId, memberEpoch, afterMs } = event
        if (this.#group.member(memberId)?.memberEpoch !== memberEpoch) return []
        return this.#gone(memberId, (member) => ({ kind: 'memberOverdue', member, phase: 'revocation', afterMs }), now)
      }
      case 'regexRefresh':
        return this.#lookUpRegexes(now)
      case 'connectionClosed':
        return this.#connectionClosed(event.connectionId, now)
      case 'topicsChanged':
        this.#subscription.topicsChanged(event.topics)
        return []
    }
  }

  apply(record: ConsumerGroupRecord): void {
    this.#group.apply(record)
  }

  /** Members get a fresh session: what they sent meanwhile was heard by nobody. */
  loaded(now: Millis): GroupEffect[] {
    this.#progress.loaded(now)
    const { sessionTimeoutMs } = this.#config
    return [...this.#group.members].flatMap((member) => [
      sessionTimer(this.groupId, member.memberId, sessionTimeoutMs),
      ...(member.state === 'unrevoked' ? [revocationTimer(this.groupId, member)] : []),
    ])
  }

  describe(): DescribedConsumerGroup {
    const { assignors, topics } = this.#context
    return describeConsumerGroup(this.groupId, this.#group, assignorFor(this.#group.members, assignors).name, topics)
  }

  get #config() {
    return this.#context.configs.consumerGroup(this.groupId)
  }

  // ---- Heartbeats

  #heartbeatOrLeave(event: ConsumerHeartbeatEvent, now: Millis): GroupEffect[] {
    const { memberEpoch } = event.request
    const leaves = memberEpoch === leavingEpoch || memberEpoch === leavingForNowEpoch
    return leaves ? this.#leave(event, now) : this.#heartbeat(event, now)
  }

  #heartbeat(event: ConsumerHeartbeatEvent, now: Millis): GroupEffect[] {
    const { request, replyTo, sender } = event
    const found = findMember(this.#group, event, this.#context.settings.consumerMaxSize)
    if ('code' in found) return [reply(replyTo, heartbeatRefused(found))]
    const { member } = found
    const followed = this.#follow(found, selfDescription(member, event), request.topicPartitions, now)
    if ('code' in followed) return [reply(replyTo, heartbeatRefused(followed))]
    const { memberId, memberEpoch, assignedPartitions } = followed.member
    this.#heard(memberId, sender.connectionId)
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.#config
    const isFull =
      request.rebalanceTimeoutMs !== -1 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      request.topicPartitions !== null
    const tells =
      request.memberEpoch === joiningEpoch || isFull || !samePartitions(member.assignedPartitions, assignedPartitions)
    const answer: ConsumerGroupHeartbeatResponse = {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      memberId,
      memberEpoch,
      heartbeatIntervalMs,
      assignment: tells ? { topicPartitions: listed(assignedPartitions) } : null,
    }
    return [...followed.effects, sessionTimer(this.groupId, memberId, sessionTimeoutMs), reply(replyTo, answer)]
  }

  #heard(memberId: string, connectionId: number): void {
    if (this.#context.settings.removeMembersOnDisconnect) this.#heardOn.set(memberId, connectionId)
  }

  /** Three steps: the member as it describes itself; a new target if one is due; the member's own way towards it. */
  #follow(
    found: FoundMember,
    described: ConsumerMember,
    owned: OwnedPartitions | null,
    now: Millis,
  ): Followed | Refusal {
    const { member, replaces } = found
    const isClassic = described.classicMemberMetadata !== null
    const regex = regexChange(this.#group, this.groupId, member, described)
    if ('code' in regex) return regex

    const records: ConsumerGroupRecord[] = replaces === null ? [] : this.#replacement(replaces, member)
    if (!sameSubscription(member, described)) records.push(subscriptionRecord(this.groupId, described))
    records.push(...regex.records)
    const change = { updated: described, ...(replaces && { removed: new Set([replaces.memberId]) }) }
    const namesChanged = !sameTopicNames(member, described)
    const readsAnew = namesChanged || (isClassic ? regex.changed : regex.resolved)
    const next = this.#subscription.nextEpoch(change, readsAnew, now)
    const target = nextTarget(this.#host, change, next.epoch, replaces, now)
    records.push(...next.records, ...target.records)
    const after = this.#reconciled(described, target, namesChanged || regex.changed, owned)
    if (after === null) {
      this.#subscription.lookAgain()
      return fencedInUnknownState()
    }
    const step = {
      before: member,
      after,
      change: { ...change, updated: after },
      epoch: next.epoch,
      targetEpoch: target.epoch,
    }
    const effects = [
      ...this.#progress.described(found, described),
      ...next.effects,
      ...this.#progress.stepped(step, now),
      ...this.#subscription.lookUpIfDue(member, described, regex.isNew, now),
    ]
    if (!sameAssignment(after, described)) {
      records.push(assignmentRecord(this.groupId, after))
      // Classic members have other times to keep: to join, and to sync.
      const revokes = after.state === 'unrevoked' && !isClassic
      effects.push(revokes ? revocationTimer(this.groupId, after) : cancelRevocation(this.groupId, after.memberId))
    }
    if (replaces !== null) {
      this.#heardOn.delete(replaces.memberId)
      this.#classic.forget(replaces.memberId)
      effects.push(...cancelTimers(this.groupId, replaces.memberId))
    }
    return { member: after, effects: records.length === 0 ? effects : [...effects, { kind: 'append', records }] }
  }

  /** The new member begins with what the old one had. */
  #replacement(old: ConsumerMember, member: ConsumerMember): ConsumerGroupRecord[] {
    const { groupId } = this
    const target = this.#group.targetOf(old.memberId) ?? noTarget
    return [
      ...memberTombstones(groupId, old.memberId),
      subscriptionRecord(groupId, member),
      { kind: 'consumerTarget', groupId, memberId: member.memberId, value: target },
      assignmentRecord(groupId, member),
    ]
  }

  #reconciled(
    member: ConsumerMember,
    { epoch: targetEpoch, target }: DueTarget,
    subscriptionChanged: boolean,
    owned: OwnedPartitions | null,
  ): ConsumerMember | null {
    if (!subscriptionChanged && isReconciled(member, targetEpoch)) return member
    const readTopicIds = new Set<string>()
    for (const name of topicsReadBy(member, this.#group.regexes)) {
      const topic = this.#context.topics.byName(name)
      if (topic !== null) readTopicIds.add(topic.id)
    }
    return reconcile(member, {
      targetEpoch,
      target,
      readTopicIds,
      subscriptionChanged,
      owned,
      isOwned: (topicId, partition) => this.#group.ownerOf(topicId, partition) !== undefined,
    })
  }

  // ---- Members that leave, or are gone

  #leave(event: ConsumerHeartbeatEvent, now: Millis): GroupEffect[] {
    const { request, replyTo } = event
    const leaving = findLeaving(this.#group, event)
    if ('code' in leaving) return [reply(replyTo, heartbeatRefused(leaving))]
    const { memberId, memberEpoch, instanceId } = request
    const answer = reply(replyTo, {
      ...heartbeatRefused({ code: ErrorCode.NONE, message: null }),
      memberId,
      memberEpoch,
    })
    if (instanceId !== null && memberEpoch === leavingForNowEpoch) return [...this.#leaveForNow(leaving), answer]
    const effects = this.#remove([leaving], now, (member) => ({ kind: 'memberLeft', member, reason: null }))
    return [...effects, answer]
  }

  /** It keeps what it has, as of epoch 0: whoever comes back for it may commit, whoever was there before may not. */
  #leaveForNow(member: ConsumerMember): GroupEffect[] {
    const leaving = {
      ...member,
      memberEpoch: leavingForNowEpoch,
      assignedPartitions: withEpoch(member.assignedPartitions, 0),
      partitionsPendingRevocation: noPartitions,
    }
    return [
      { kind: 'append', records: [assignmentRecord(this.groupId, leaving)] },
      cancelRevocation(this.groupId, member.memberId),
    ]
  }

  #gone(memberId: string, what: (member: NotedMember) => Happening, now: Millis): GroupEffect[] {
    const member = this.#group.member(memberId)
    return member === undefined ? [] : this.#remove([member], now, what)
  }

  /** Static members may come back: only their session decides. */
  #connectionClosed(connectionId: number, now: Millis): GroupEffect[] {
    const gone: ConsumerMember[] = []
    for (const [memberId, heardOn] of this.#heardOn) {
      if (heardOn !== connectionId) continue
      this.#heardOn.delete(memberId)
      const member = this.#group.member(memberId)
      if (member !== undefined && member.instanceId === null) gone.push(member)
    }
    return this.#remove(gone, now, (member) => ({ kind: 'memberDisconnected', member }))
  }

  #remove(members: readonly ConsumerMember[], now: Millis, what: (member: NotedMember) => Happening): GroupEffect[] {
    if (members.length === 0) return []
    const group = this.#group
    const removed = new Set(members.map(({ memberId }) => memberId))
    const left = [...group.membersAfter({ removed })]
    for (const memberId of removed) {
      this.#heardOn.delete(memberId)
      this.#classic.forget(memberId)
    }
    const notes = members.map((member) =>
      this.#progress.told(withOwned(what(notedMember(member)), this.#progress.ownedBy(member))),
    )
    if (canDowngrade(this.#host, left)) return [...notes, ...downgradeByLeaving(this.#host, left, now)]
    const records = [
      ...members.flatMap(({ memberId }) => memberTombstones(this.groupId, memberId)),
      ...this.#subscription.without(left),
    ]
    return [
      ...notes,
      ...this.#progress.startsToMove(now),
      ...(left.length === 0 ? [this.#progress.rests(group.epoch + 1, left, now)] : []),
      { kind: 'append', records },
      ...members.flatMap(({ memberId }) => cancelTimers(this.groupId, memberId)),
    ]
  }

  #lookUpRegexes(now: Millis): GroupEffect[] {
    const { moves, effects } = this.#subscription.lookUp(now)
    return moves ? [...effects, ...this.#progress.startsToMove(now)] : [...effects]
  }

  // ---- Offsets

  /** Whoever is not a member commits to a group without members. */
  checkCommit(event: CommitEvent): ErrorCode {
    const { memberId, generationIdOrMemberEpoch } = event.request
    if (generationIdOrMemberEpoch < 0 && this.#group.size === 0) return ErrorCode.NONE
    const { topics, settings } = this.#context
    return commitProblem(this.#group.member(memberId), event, { topics, metadataMax: settings.offsetMetadataMaxBytes })
  }

  /** Members of this protocol show that they live by heartbeats alone. */
  committed(): GroupEffect[] {
    return []
  }

  checkFetch(memberId: string | null, memberEpoch: number): ErrorCode {
    if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
    return fetchProblem(memberId === null ? undefined : this.#group.member(memberId), memberEpoch)
  }

  isSubscribedTo(topic: string): boolean {
    return this.#group.subscriptions.reads(topic)
  }

  /** From the commit on: a group of this protocol says at all times what it reads (KIP-186, KIP-211). */
  isExpired(topic: string, offset: CommittedOffset, retentionMs: Millis, now: Millis): boolean {
    if (this.isSubscribedTo(topic)) return false
    if (offset.expireTimestamp >= 0) return now >= offset.expireTimestamp
    return now - offset.commitTimestamp >= retentionMs
  }

  // ---- Records

  tombstones(): GroupRecord[] {
    return groupTombstones(this.groupId, this.#group)
  }
}

/** The member as its request describes it: what the request leaves out stays as it is. */
function selfDescription(member: ConsumerMember, { request, sender }: ConsumerHeartbeatEvent): ConsumerMember {
  const { subscribedTopicNames: names, subscribedTopicRegex, rebalanceTimeoutMs } = request
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: names === null ? member.subscribedTopicNames : [...new Set(names)].toSorted(),
    subscribedTopicRegex: subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId: sender.clientId,
    clientHost: sender.clientHost,
    classicMemberMetadata: null,
  }
}
