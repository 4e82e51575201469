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
import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { Group } from '../group.ts'
import type { CommitEvent, GroupEffect } from '../group-event.ts'
import type { CommittedOffset, GroupRecord } from '../group-record.ts'
import { type Happening, noted } from '../history/group-note.ts'
import { withOwned } from '../history/last-commit.ts'
import { ClassicMembers } from './classic-members.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import type { ConsumerGroupHost, Followed, FoundMember } from './consumer-group-host.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { ConsumerGroupState, type ConsumerGroupStateName, type MemberChange, noTarget } from './consumer-group-state.ts'
import { describeConsumerGroup } from './consumer-group-view.ts'
import {
  assignmentRecord,
  type ConsumerMember,
  isReconciled,
  joiningEpoch,
  leavingEpoch,
  leavingForNowEpoch,
  memberTombstones,
  newMember,
  notedMember,
  regexOf,
  sameAssignment,
  sameSubscription,
  sameTopicNames,
  subscriptionRecord,
} from './consumer-member.ts'
import { canDowngrade, downgradeByLeaving } from './downgrade.ts'
import { cancelRevocation, cancelTimers, regexTimer, revocationTimer, sessionTimer } from './consumer-timers.ts'
import { heartbeatRefused, type Refusal } from './heartbeat-answer.ts'
import type { ConsumerGroupEvent, ConsumerHeartbeatEvent, DescribedConsumerGroup } from './heartbeat-event.ts'
import {
  epochProblem,
  fencedInUnknownState,
  groupFull,
  instanceProblem,
  unknownInstance,
  unknownMember,
  unreleasedProblem,
} from './member-checks.ts'
import { listed, noPartitions, type OwnedPartitions, samePartitions, withEpoch, without } from './member-partitions.ts'
import { commitProblem, fetchProblem } from './offset-access.ts'
import { reconcile } from './reconciliation.ts'
import { refreshDue, regexChange, RegexLookup } from './regex-subscription.ts'
import { Subscriptions, topicsReadBy } from './subscriptions.ts'
import { computeTarget, preferredAssignor } from './target-assignment.ts'

/** What the group reads is looked at again after this long, should a change have been missed (Kafka: fixed). */
const metadataRefreshIntervalMs = 2_147_483_647

/** Thrown by no one: what a step decides before it is told to the shell. */
interface Decided {
  readonly records: ConsumerGroupRecord[]
  readonly effects: GroupEffect[]
}

export class ConsumerGroup implements Group {
  readonly type = 'consumer'
  readonly groupId: string
  readonly protocolType = 'consumer'
  readonly #context: ConsumerGroupContext
  readonly #group = new ConsumerGroupState()
  /** Wall milliseconds after which the topics the group reads are looked at again. */
  #metadataDueAt: Millis = 0
  /** Topics the group reads that have changed since they were last looked at. */
  readonly #changedTopics = new Set<string>()
  #lookup: RegexLookup | 'wanted' | null = null
  /** Wall milliseconds at which the group began to move, or null while it rests. */
  #movingSince: Millis | null = null
  /** Connections members were last heard on; kept only where a closed one means something. */
  readonly #heardOn = new Map<string, number>()
  readonly #host: ConsumerGroupHost
  readonly #classic: ClassicMembers

  constructor(groupId: string, context: ConsumerGroupContext) {
    this.groupId = groupId
    this.#context = context
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
        this.#topicsChanged(event.topics)
        return []
    }
  }

  apply(record: ConsumerGroupRecord): void {
    this.#group.apply(record)
  }

  /** Members get a fresh session: what they sent meanwhile was heard by nobody. */
  loaded(now: Millis): GroupEffect[] {
    if (this.state !== 'Empty' && this.state !== 'Stable') this.#movingSince = now
    const { sessionTimeoutMs } = this.#config
    return [...this.#group.members].flatMap((member) => [
      sessionTimer(this.groupId, member.memberId, sessionTimeoutMs),
      ...(member.state === 'unrevoked' ? [revocationTimer(this.groupId, member)] : []),
    ])
  }

  describe(): DescribedConsumerGroup {
    return describeConsumerGroup(
      this.groupId,
      this.#group,
      this.#assignorFor(this.#group.members).name,
      this.#context.topics,
    )
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
    const found = this.#find(event)
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

    const decided: Decided = { records: [], effects: this.#notesOf(found, described) }
    const change = { updated: described, ...(replaces && { removed: new Set([replaces.memberId]) }) }
    if (replaces !== null) decided.records.push(...this.#replacement(replaces, member))
    if (!sameSubscription(member, described)) decided.records.push(subscriptionRecord(this.groupId, described))
    decided.records.push(...regex.records)
    const namesChanged = !sameTopicNames(member, described)
    const readsAnew = namesChanged || (isClassic ? regex.changed : regex.resolved)
    const epoch = this.#nextEpoch(change, readsAnew, now, decided)
    const target = this.#nextTarget(change, epoch, replaces?.memberId ?? null, now, decided)

    const reconciled = this.#reconciled(
      described,
      { ...target, subscriptionChanged: namesChanged || regex.changed },
      owned,
    )
    if (reconciled === null) return fencedInUnknownState()
    if (!sameAssignment(reconciled, described)) {
      decided.records.push(assignmentRecord(this.groupId, reconciled))
      decided.effects.push(
        // Classic members have other times to keep: to join, and to sync.
        reconciled.state === 'unrevoked' && !isClassic
          ? revocationTimer(this.groupId, reconciled)
          : cancelRevocation(this.groupId, reconciled.memberId),
      )
    }
    decided.effects.push(
      ...this.#progress(member, reconciled, { ...change, updated: reconciled }, epoch, target.epoch, now),
    )

    if (this.#regexesDue(member, described, regex.isNew, now)) {
      this.#lookup = 'wanted'
      decided.effects.push(regexTimer(this.groupId))
    }
    if (replaces !== null) {
      this.#heardOn.delete(replaces.memberId)
      this.#classic.forget(replaces.memberId)
      decided.effects.push(...cancelTimers(this.groupId, replaces.memberId))
    }
    return { member: reconciled, effects: written(decided) }
  }

  #find(event: ConsumerHeartbeatEvent): FoundMember | Refusal {
    const { request, newMemberId } = event
    const { instanceId, memberEpoch, topicPartitions } = request
    const sizeMax = this.#context.settings.consumerMaxSize
    const memberId = request.memberId === '' ? newMemberId : request.memberId
    const known = this.#group.member(memberId)
    if (known === undefined && this.#group.size >= sizeMax) return groupFull(sizeMax)
    const joins = memberEpoch === joiningEpoch
    if (instanceId === null) {
      const member = known ?? (joins ? newMember(memberId) : null)
      if (member === null) return unknownMember(this.groupId, memberId)
      return epochProblem(member, memberEpoch, topicPartitions) ?? { member, replaces: null }
    }
    const holder = this.#group.holderOf(instanceId)
    if (!joins) {
      if (holder === undefined) return unknownInstance(instanceId)
      return (
        instanceProblem(holder, memberId, instanceId) ??
        epochProblem(holder, memberEpoch, topicPartitions) ?? { member: holder, replaces: null }
      )
    }
    if (holder === undefined) return { member: known ?? newMember(memberId), replaces: null }
    const member = { ...holder, memberId, memberEpoch: joiningEpoch, previousMemberEpoch: joiningEpoch }
    return unreleasedProblem(holder, memberId, instanceId) ?? { member, replaces: holder }
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

  #notesOf({ member, replaces }: FoundMember, described: ConsumerMember): GroupEffect[] {
    const who = notedMember(described)
    if (replaces !== null) return [this.#noted({ kind: 'memberReplaced', member: who, oldMemberId: replaces.memberId })]
    if (this.#group.member(member.memberId) === undefined) return [this.#noted({ kind: 'memberJoined', member: who })]
    if (sameTopicNames(member, described) && regexOf(member) === regexOf(described)) return []
    const [topics, regex] = [described.subscribedTopicNames, regexOf(described)]
    return [this.#noted({ kind: 'subscriptionChanged', member: who, topics, regex })]
  }

  /** The group's epoch from now on: the next one when its members read something else, or what they read has changed. */
  #nextEpoch(change: MemberChange, subscriptionsChanged: boolean, now: Millis, decided: Decided): number {
    const { epoch, metadataHash, hasPartitionMetadata } = this.#group
    if (!subscriptionsChanged && now < this.#metadataDueAt) return epoch
    this.#metadataDueAt = now + metadataRefreshIntervalMs
    const { topics } = new Subscriptions(this.#group.membersAfter(change), this.#group.regexes)
    const hash = this.#context.hashes.of(topics)
    const topicsChanged = hash !== metadataHash && !subscriptionsChanged
    if (topicsChanged) decided.effects.push(this.#noted({ kind: 'topicsChanged', topics: [...this.#changedTopics] }))
    this.#changedTopics.clear()
    const next = subscriptionsChanged || topicsChanged ? epoch + 1 : epoch
    if (next > epoch) decided.records.push(this.#epochRecord(next, hash))
    if (hasPartitionMetadata) {
      decided.records.push({ kind: 'consumerPartitionMetadata', groupId: this.groupId, value: null })
    }
    return next
  }

  #epochRecord(epoch: number, metadataHash: bigint): ConsumerGroupRecord {
    return { kind: 'consumerEpoch', groupId: this.groupId, value: { epoch, metadataHash } }
  }

  /** The target the member is to follow: a new one when the group's epoch asks for it and the last one is not too young. */
  #nextTarget(
    change: MemberChange & { readonly updated: ConsumerMember },
    epoch: number,
    replacedId: string | null,
    now: Millis,
    decided: Decided,
  ): { readonly epoch: number; readonly target: AssignedPartitions } {
    const { memberId } = change.updated
    const heirOf = (id: string) => (id === memberId && replacedId !== null ? replacedId : id)
    const group = this.#group
    if (group.targetEpoch >= epoch || this.#targetIsTooYoung(now)) {
      return { epoch: group.targetEpoch, target: group.targetOf(heirOf(memberId)) ?? noTarget }
    }
    const members = [...group.membersAfter(change)]
    const computed = computeTarget({
      groupId: this.groupId,
      epoch,
      members,
      regexes: group.regexes,
      topics: this.#context.topics,
      assignor: this.#assignorFor(members),
      now,
      targetOf: (id) => group.targetOf(id),
      heirOf,
    })
    decided.records.push(...computed.records)
    return { epoch, target: computed.of(memberId) }
  }

  #targetIsTooYoung(now: Millis): boolean {
    const { targetTimestamp } = this.#group
    const { assignmentIntervalMs } = this.#config
    return targetTimestamp !== 0 && assignmentIntervalMs !== 0 && now < targetTimestamp + assignmentIntervalMs
  }

  #assignorFor(members: Iterable<ConsumerMember>) {
    const { assignors } = this.#context
    const preferred = preferredAssignor(
      members,
      assignors.map(({ name }) => name),
    )
    return assignors.find(({ name }) => name === preferred) ?? assignors[0]!
  }

  #reconciled(
    member: ConsumerMember,
    to: { readonly epoch: number; readonly target: AssignedPartitions; readonly subscriptionChanged: boolean },
    owned: OwnedPartitions | null,
  ): ConsumerMember | null {
    const { epoch: targetEpoch, target, subscriptionChanged } = to
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

  /** What those who watch are told: what the member gained and lost, and whether the group began to move or has come to rest. */
  #progress(
    before: ConsumerMember,
    after: ConsumerMember,
    change: MemberChange,
    epoch: number,
    targetEpoch: number,
    now: Millis,
  ): GroupEffect[] {
    const effects: GroupEffect[] = []
    if (epoch > this.#group.epoch) effects.push(...this.#startsToMove(now))
    const gained = this.#named(without(after.assignedPartitions, before.assignedPartitions))
    const lost = this.#named(without(before.assignedPartitions, after.assignedPartitions))
    if (gained.length > 0 || lost.length > 0) {
      effects.push(this.#noted({ kind: 'assignmentChanged', member: notedMember(after), gained, lost }))
    }
    if (this.#movingSince === null || targetEpoch < epoch || !isReconciled(after, targetEpoch)) return effects
    const members = [...this.#group.membersAfter(change)]
    if (!members.every((member) => isReconciled(member, targetEpoch))) return effects
    return [...effects, this.#rests(targetEpoch, members, now)]
  }

  #startsToMove(now: Millis): GroupEffect[] {
    if (this.#movingSince !== null) return []
    this.#movingSince = now
    return [this.#noted({ kind: 'rebalanceStarted', reason: null })]
  }

  #rests(epoch: number, members: readonly ConsumerMember[], now: Millis): GroupEffect {
    const durationMs = now - (this.#movingSince ?? now)
    this.#movingSince = null
    const protocol = members.length === 0 ? null : this.#assignorFor(members).name
    return this.#noted({ kind: 'rebalanceEnded', epoch, members: members.length, protocol, durationMs })
  }

  /** What it has not given up yet counts as well. */
  #ownedBy({ assignedPartitions, partitionsPendingRevocation }: ConsumerMember): string[] {
    return [assignedPartitions, partitionsPendingRevocation].flatMap((each) => this.#named(without(each, noPartitions)))
  }

  #named(partitions: readonly { readonly topicId: string; readonly partition: number }[]): string[] {
    return partitions.map(({ topicId, partition }) => {
      return `${this.#context.topics.byId(topicId)?.name ?? topicId}-${partition}`
    })
  }

  // ---- Members that leave, or are gone

  #leave({ request, replyTo }: ConsumerHeartbeatEvent, now: Millis): GroupEffect[] {
    const { memberId, memberEpoch, instanceId } = request
    const member = instanceId === null ? this.#group.member(memberId) : this.#group.holderOf(instanceId)
    const refusal =
      member === undefined
        ? instanceId === null
          ? unknownMember(this.groupId, memberId)
          : unknownInstance(instanceId)
        : instanceId !== null && instanceProblem(member, memberId, instanceId)
    if (refusal) return [reply(replyTo, heartbeatRefused(refusal))]
    const answer = reply(replyTo, {
      ...heartbeatRefused({ code: ErrorCode.NONE, message: null }),
      memberId,
      memberEpoch,
    })
    if (instanceId !== null && memberEpoch === leavingForNowEpoch) return [...this.#leaveForNow(member!), answer]
    const effects = this.#remove([member!], now, (who) => ({ kind: 'memberLeft', member: who, reason: null }))
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

  #gone(memberId: string, what: (member: ReturnType<typeof notedMember>) => Happening, now: Millis): GroupEffect[] {
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

  #remove(
    members: readonly ConsumerMember[],
    now: Millis,
    what: (member: ReturnType<typeof notedMember>) => Happening,
  ): GroupEffect[] {
    if (members.length === 0) return []
    const group = this.#group
    const removed = new Set(members.map(({ memberId }) => memberId))
    const records: ConsumerGroupRecord[] = members.flatMap(({ memberId }) => memberTombstones(this.groupId, memberId))
    const left = [...group.membersAfter({ removed })]
    for (const memberId of removed) {
      this.#heardOn.delete(memberId)
      this.#classic.forget(memberId)
    }
    const notes = members.map((member) => this.#noted(withOwned(what(notedMember(member)), this.#ownedBy(member))))
    if (canDowngrade(this.#host, left)) return [...notes, ...downgradeByLeaving(this.#host, left, now)]
    const subscriptions = new Subscriptions(left, group.regexes)
    const inUse = new Set(subscriptions.regexes)
    for (const regex of group.regexes.keys()) {
      if (!inUse.has(regex)) records.push({ kind: 'consumerRegex', groupId: this.groupId, regex, value: null })
    }
    records.push(this.#epochRecord(group.epoch + 1, this.#context.hashes.of(subscriptions.topics)))
    return [
      ...notes,
      ...this.#startsToMove(now),
      ...(left.length === 0 ? [this.#rests(group.epoch + 1, left, now)] : []),
      { kind: 'append', records },
      ...members.flatMap(({ memberId }) => cancelTimers(this.groupId, memberId)),
    ]
  }

  // ---- Topics, and regular expressions that stand for them

  /** They are looked at with the next heartbeat. */
  #topicsChanged(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#group.subscriptions.reads(name)) continue
      this.#changedTopics.add(name)
      this.#metadataDueAt = 0
    }
  }

  #regexesDue(member: ConsumerMember, described: ConsumerMember, anyNew: boolean, now: Millis): boolean {
    if (this.#lookup !== null || (!anyNew && !this.#group.usesRegexes)) return false
    const inUse = new Set(this.#group.regexesInUse)
    const [old, regex] = [regexOf(member), regexOf(described)]
    if (old !== null && old !== regex && this.#group.membersWith(old) === 1) inUse.delete(old)
    if (regex !== null) inUse.add(regex)
    const rules = {
      intervalMs: this.#context.settings.consumerRegexRefreshIntervalMs,
      topicsCreatedIn: this.#context.topicsCreatedIn(),
    }
    return refreshDue(this.#group, { inUse: inUse.size, anyNew }, rules, now)
  }

  #lookUpRegexes(now: Millis): GroupEffect[] {
    if (this.#lookup === 'wanted' || this.#lookup === null) {
      this.#lookup = new RegexLookup(this.#group.regexesInUse, this.#context.topics, now)
    }
    const resolved = this.#lookup.advance()
    if (resolved === null) return [regexTimer(this.groupId)]
    this.#lookup = null
    const records: ConsumerGroupRecord[] = []
    const regexes = new Map(this.#group.regexes)
    const changed = new Set<string>()
    for (const [regex, value] of resolved) {
      if (this.#group.membersWith(regex) === 0) continue
      for (const topic of difference(regexes.get(regex)?.topics ?? [], value.topics)) changed.add(topic)
      regexes.set(regex, value)
      records.push({ kind: 'consumerRegex', groupId: this.groupId, regex, value })
    }
    const effects: GroupEffect[] = []
    const hash = this.#context.hashes.of(new Subscriptions(this.#group.members, regexes).topics)
    if (changed.size > 0 || hash !== this.#group.metadataHash) {
      records.push(this.#epochRecord(this.#group.epoch + 1, hash))
      this.#metadataDueAt = now + metadataRefreshIntervalMs
      effects.push(this.#noted({ kind: 'topicsChanged', topics: [...changed, ...this.#changedTopics] }))
      effects.push(...this.#startsToMove(now))
      this.#changedTopics.clear()
    }
    return written({ records, effects })
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

  /** In the order in which Kafka wants to read them. */
  tombstones(): GroupRecord[] {
    const { groupId } = this
    const memberIds = Array.from(this.#group.members, ({ memberId }) => memberId)
    const gone = (kind: 'consumerAssignment' | 'consumerTarget' | 'consumerMember') =>
      memberIds.map((memberId) => ({ kind, groupId, memberId, value: null }))
    return [
      ...gone('consumerAssignment'),
      ...gone('consumerTarget'),
      { kind: 'consumerTargetEpoch', groupId, value: null },
      ...gone('consumerMember'),
      ...Array.from(this.#group.regexes.keys(), (regex) => ({
        kind: 'consumerRegex' as const,
        groupId,
        regex,
        value: null,
      })),
      { kind: 'consumerPartitionMetadata', groupId, value: null },
      { kind: 'consumerEpoch', groupId, value: null },
    ]
  }

  #noted(what: Happening): GroupEffect {
    return noted(this.groupId, what)
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

function written({ records, effects }: Decided): GroupEffect[] {
  return records.length === 0 ? effects : [...effects, { kind: 'append', records }]
}

/** What is in one and not in the other. */
function difference(one: readonly string[], other: readonly string[]): string[] {
  const [ones, others] = [new Set(one), new Set(other)]
  return [...one.filter((each) => !others.has(each)), ...other.filter((each) => !ones.has(each))]
}
