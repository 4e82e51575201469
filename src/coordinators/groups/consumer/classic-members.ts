// Members of the classic protocol in a consumer group (KIP-848, online migration). They cannot be told what is theirs in a heartbeat: a
// heartbeat tells them to rejoin, their JoinGroup takes them one step towards the target, and SyncGroup says what they have then.
//
//   the member is                              | heartbeat             | join                | sync
//   -------------------------------------------+-----------------------+---------------------+----------------------
//   at the target, or as near as it can be     | NONE                  | its epoch           | what it has
//   behind the target                          | REBALANCE_IN_PROGRESS | its next step       | REBALANCE_IN_PROGRESS
//   to give up partitions (unrevoked)          | REBALANCE_IN_PROGRESS | gives them up       | what it keeps
//   waiting for partitions that are free now   | REBALANCE_IN_PROGRESS | gets them           | what it has
//
// A member that is told to rejoin has its rebalance timeout to do so, and as long to sync then. The generation it knows is its member
// epoch. There is no leader: every member is told that it is none.

import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import { consumerProtocolType } from '../classic/classic-subscription.ts'
import type { GroupEffect, HeartbeatEvent, JoinEvent, LeaveEvent, SyncEvent } from '../group-event.ts'
import { heartbeatAnswer, joinRefused, syncRefused, unknownMemberId } from '../group-response.ts'
import { type ClassicTypeMember, joined } from './classic-answer.ts'
import type { ConsumerGroupHost, FoundMember } from './consumer-group-host.ts'
import type { ClassicMetadata } from './consumer-group-record.ts'
import { type ConsumerMember, joiningEpoch, newMember } from './consumer-member.ts'
import { cancelJoin, cancelSync, joinTimer, sessionTimer, syncTimer } from './consumer-timers.ts'
import { downgradeByReplacement } from './downgrade.ts'
import { readSubscription, writeAssignment } from './embedded-protocol.ts'
import type { Refusal } from './heartbeat-answer.ts'
import type { ClassicTimerEvent } from './heartbeat-event.ts'
import { groupFull, instanceProblem, unknownInstance, unknownMember } from './member-checks.ts'
import { has } from './member-partitions.ts'

export type ClassicMemberEvent = JoinEvent | SyncEvent | HeartbeatEvent | LeaveEvent | ClassicTimerEvent

const notProvided = -1

export class ClassicMembers {
  readonly #host: ConsumerGroupHost
  /** Members that were told to rejoin, and whose time to do so runs. */
  readonly #askedToJoin = new Set<string>()

  constructor(host: ConsumerGroupHost) {
    this.#host = host
  }

  step(event: ClassicMemberEvent, now: Millis): GroupEffect[] {
    switch (event.kind) {
      case 'join':
        return this.#join(event, now)
      case 'sync':
        return this.#sync(event)
      case 'heartbeat':
        return this.#heartbeat(event)
      case 'leave':
        return this.#leave(event, now)
      case 'classicOverdue': {
        const { memberId, phase, afterMs } = event
        const member = this.#host.group.member(memberId)
        if (member === undefined || member.classicMemberMetadata === null) return []
        return this.#host.remove([member], now, (who) => ({ kind: 'memberOverdue', member: who, phase, afterMs }))
      }
    }
  }

  /** It is gone, or a member of the other protocol now. */
  forget(memberId: string): void {
    this.#askedToJoin.delete(memberId)
  }

  // ---- JoinGroup

  #join(event: JoinEvent, now: Millis): GroupEffect[] {
    const { request, replyTo, sender } = event
    const { groupId, context } = this.#host
    const refuse = (code: ErrorCode) => [reply(replyTo, joinRefused('', code))]
    const memberId = request.memberId === unknownMemberId ? event.newMemberId : request.memberId
    const refusal = this.#joinProblem(event, memberId)
    if (refusal !== null) return refuse(refusal)
    if (request.memberId === unknownMemberId && request.groupInstanceId === null && sender.apiVersion >= 4) {
      // KIP-394: it has to come back with its id, which nobody need remember.
      return [reply(replyTo, joinRefused(memberId, ErrorCode.MEMBER_ID_REQUIRED))]
    }
    const found = this.#joining(event, memberId)
    if ('code' in found) return refuse(found.code)
    const subscription = readSubscription(request.protocols[0]!.metadata, context.topics)
    if (subscription === null) return refuse(ErrorCode.UNKNOWN_SERVER_ERROR)
    const { member, replaces } = found
    // Version 0 has one timeout for both.
    const rebalanceTimeoutMs = sender.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
    const described: ClassicTypeMember = {
      ...member,
      instanceId: request.groupInstanceId ?? member.instanceId,
      rackId: subscription.rackId ?? member.rackId,
      rebalanceTimeoutMs: rebalanceTimeoutMs === notProvided ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
      subscribedTopicNames: subscription.topics,
      subscribedTopicRegex: '',
      clientId: sender.clientId,
      clientHost: sender.clientHost,
      classicMemberMetadata: metadataOf(request, member.classicMemberMetadata),
    }
    if (replaces !== null) this.forget(replaces.memberId)
    const downgraded = replaces === null ? null : downgradeByReplacement(this.#host, replaces, described, event, now)
    if (downgraded !== null) return downgraded
    const followed = this.#host.follow(found, described, subscription.owned, now)
    if ('code' in followed) return refuse(followed.code)
    this.forget(memberId)
    this.#host.heard(memberId, sender.connectionId)
    return [
      ...followed.effects,
      cancelJoin(groupId, memberId),
      sessionTimer(groupId, memberId, request.sessionTimeoutMs),
      syncTimer(groupId, memberId, rebalanceTimeoutMs),
      reply(replyTo, joined(memberId, followed.member.memberEpoch, described)),
    ]
  }

  #joinProblem({ request }: JoinEvent, memberId: string): ErrorCode | null {
    const { group, context } = this.#host
    const { consumerMigrationPolicy, consumerMaxSize } = context.settings
    if (consumerMigrationPolicy === 'disabled') return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    if (group.member(memberId) === undefined && group.size >= consumerMaxSize) return groupFull(consumerMaxSize).code
    const offered = request.protocols.some(({ name }) => this.#supportedByAll(name))
    return request.protocolType === consumerProtocolType && offered ? null : ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }

  /** Whether all classic members there are offer it. */
  #supportedByAll(name: string): boolean {
    for (const { classicMemberMetadata } of this.#host.group.members) {
      if (classicMemberMetadata === null) continue
      if (!classicMemberMetadata.supportedProtocols.some((offer) => offer.name === name)) return false
    }
    return true
  }

  /** Whoever comes with an id is let in with it, save where it says that it is a static member whom nobody knows. */
  #joining({ request }: JoinEvent, memberId: string): FoundMember | Refusal {
    const { group } = this.#host
    const { groupInstanceId: instanceId } = request
    const known = group.member(memberId)
    if (instanceId === null) return { member: known ?? newMember(memberId), replaces: null }
    const holder = group.holderOf(instanceId)
    if (request.memberId !== unknownMemberId) {
      if (holder === undefined) return unknownInstance(instanceId)
      return instanceProblem(holder, memberId, instanceId) ?? { member: holder, replaces: null }
    }
    if (holder === undefined) return { member: known ?? newMember(memberId), replaces: null }
    const member = { ...holder, memberId, memberEpoch: joiningEpoch, previousMemberEpoch: joiningEpoch }
    return { member, replaces: holder }
  }

  // ---- SyncGroup, Heartbeat

  #sync({ request, replyTo, sender }: SyncEvent): GroupEffect[] {
    const { groupId, group, context } = this.#host
    const refuse = (code: ErrorCode) => [reply(replyTo, syncRefused(code))]
    const member = this.#authentic(request)
    if ('code' in member) return refuse(member.code)
    const { memberId, memberEpoch, state, assignedPartitions, classicMemberMetadata } = member
    if (request.generationId !== memberEpoch) return refuse(ErrorCode.ILLEGAL_GENERATION)
    const { protocolType, protocolName } = request
    const [chosen] = classicMemberMetadata.supportedProtocols
    if (
      (protocolType !== null && protocolType !== consumerProtocolType) ||
      (protocolName !== null && protocolName !== chosen?.name)
    ) {
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    // One that has partitions to give up has rejoined already, and gives them up first.
    if (group.targetEpoch > memberEpoch && state !== 'unrevoked') {
      return [...this.#askToJoin(member), ...refuse(ErrorCode.REBALANCE_IN_PROGRESS)]
    }
    this.#host.heard(memberId, sender.connectionId)
    const partitions = new Map(Array.from(assignedPartitions, ([topicId, epochs]) => [topicId, epochs.keys()]))
    const assignment = writeAssignment(partitions, chosen!.metadata, context.topics)
    return [
      cancelSync(groupId, memberId),
      sessionTimer(groupId, memberId, classicMemberMetadata.sessionTimeoutMs),
      reply(replyTo, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, protocolType, protocolName, assignment }),
    ]
  }

  #heartbeat({ request, replyTo, sender }: HeartbeatEvent): GroupEffect[] {
    const { groupId } = this.#host
    const member = this.#authentic(request)
    if ('code' in member) return [reply(replyTo, heartbeatAnswer(member.code))]
    const { memberId, memberEpoch, classicMemberMetadata } = member
    if (request.generationId !== memberEpoch) return [reply(replyTo, heartbeatAnswer(ErrorCode.ILLEGAL_GENERATION))]
    this.#host.heard(memberId, sender.connectionId)
    const session = sessionTimer(groupId, memberId, classicMemberMetadata.sessionTimeoutMs)
    if (!this.#shouldRejoin(member)) return [session, reply(replyTo, heartbeatAnswer(ErrorCode.NONE))]
    const rebalancing = heartbeatAnswer(ErrorCode.REBALANCE_IN_PROGRESS)
    return [session, ...this.#askToJoin(member), reply(replyTo, rebalancing)]
  }

  #shouldRejoin(member: ConsumerMember): boolean {
    if (member.memberEpoch < this.#host.group.targetEpoch || member.state === 'unrevoked') return true
    return member.state === 'unreleased' && !this.#waitsForOthers(member)
  }

  /** Some of its target is with somebody else yet. */
  #waitsForOthers({ memberId, assignedPartitions }: ConsumerMember): boolean {
    const { group } = this.#host
    for (const [topicId, partitions] of group.targetOf(memberId) ?? []) {
      for (const partition of partitions) {
        if (!has(assignedPartitions, topicId, partition) && group.ownerOf(topicId, partition) !== undefined) return true
      }
    }
    return false
  }

  /** Asked again, it has no more time. */
  #askToJoin({ memberId, rebalanceTimeoutMs }: ConsumerMember): GroupEffect[] {
    if (this.#askedToJoin.has(memberId)) return []
    this.#askedToJoin.add(memberId)
    return [joinTimer(this.#host.groupId, memberId, rebalanceTimeoutMs)]
  }

  /** The member, if it is who it says it is and has the classic protocol. */
  #authentic(request: {
    readonly memberId: string
    readonly groupInstanceId: string | null
  }): ClassicTypeMember | Refusal {
    const { groupId, group } = this.#host
    const { memberId, groupInstanceId: instanceId } = request
    const member = instanceId === null ? group.member(memberId) : group.holderOf(instanceId)
    if (member === undefined) return unknownMember(groupId, memberId)
    const problem = instanceId === null ? null : instanceProblem(member, memberId, instanceId)
    if (problem !== null) return problem
    const { classicMemberMetadata } = member
    return classicMemberMetadata === null ? unknownMember(groupId, memberId) : { ...member, classicMemberMetadata }
  }

  // ---- LeaveGroup

  /** Members of either protocol: an administrator removes static ones by their instance ids. */
  #leave({ members, replyTo }: LeaveEvent, now: Millis): GroupEffect[] {
    const leaving = new Map<string, { readonly member: ConsumerMember; readonly reason: string | null }>()
    const answers = members.map(({ memberId, groupInstanceId, reason }) => {
      const member = this.#leaver(memberId, groupInstanceId)
      if ('code' in member) return { memberId, groupInstanceId, errorCode: member.code }
      leaving.set(member.memberId, { member, reason })
      return { memberId, groupInstanceId, errorCode: ErrorCode.NONE }
    })
    const gone = Array.from(leaving.values(), ({ member }) => member)
    const effects = this.#host.remove(gone, now, (member) => {
      return { kind: 'memberLeft', member, reason: leaving.get(member.memberId)?.reason ?? null }
    })
    return [...effects, reply(replyTo, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members: answers })]
  }

  #leaver(memberId: string, instanceId: string | null): ConsumerMember | Refusal {
    const { groupId, group } = this.#host
    if (instanceId === null) return group.member(memberId) ?? unknownMember(groupId, memberId)
    const holder = group.holderOf(instanceId)
    if (holder === undefined) return unknownInstance(instanceId)
    return (memberId === unknownMemberId ? null : instanceProblem(holder, memberId, instanceId)) ?? holder
  }
}

/** The same object as before when the member says the same. Bytes are copied: they are views of a frame. */
function metadataOf(request: JoinEvent['request'], before: ClassicMetadata | null): ClassicMetadata {
  const { sessionTimeoutMs, protocols } = request
  const isSame =
    before !== null &&
    before.sessionTimeoutMs === sessionTimeoutMs &&
    before.supportedProtocols.length === protocols.length &&
    before.supportedProtocols.every(({ name, metadata }, index) => {
      const other = protocols[index]!
      return name === other.name && Buffer.compare(metadata, other.metadata) === 0
    })
  if (isSame) return before
  return {
    sessionTimeoutMs,
    supportedProtocols: protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) })),
  }
}
