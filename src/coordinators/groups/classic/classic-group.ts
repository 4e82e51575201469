// A classic group: members agree on a generation, and its leader hands out assignments (JoinGroup, SyncGroup, Heartbeat, LeaveGroup).
//
//   state               | join              | sync                  | heartbeat             | leaves, expires    | commits offsets
//   --------------------+-------------------+-----------------------+-----------------------+--------------------+----------------------
//   Empty               | rebalance         | UNKNOWN_MEMBER_ID     | UNKNOWN_MEMBER_ID     | (pending members)  | without generation
//   PreparingRebalance  | waits             | REBALANCE_IN_PROGRESS | REBALANCE_IN_PROGRESS | perhaps all joined | of the generation
//   CompletingRebalance | same: once more   | waits; the leader's   | NONE                  | rebalance          | REBALANCE_IN_PROGRESS
//                       | else: rebalance   | answers them all      |                       |                    |
//   Stable              | same, not leader: | its assignment        | NONE                  | rebalance          | of the generation
//                       | once more         |                       |                       |                    |
//                       | else: rebalance   |                       |                       |                    |
//   Dead                | a group the coordinator does not have (group-shard.ts)
//
//   Empty --------------- a member joins --------------------> PreparingRebalance    ends with the initial delay, not before
//   Completing, Stable -- a member joins, changes, goes -----> PreparingRebalance    waiting syncs: REBALANCE_IN_PROGRESS
//   PreparingRebalance -- all have rejoined, or time is up --> CompletingRebalance   generation + 1, joins answered
//   PreparingRebalance -- nobody is left --------------------> Empty                 generation + 1, appended
//   CompletingRebalance - the leader's assignments appended -> Stable                syncs answered
//   Completing, Stable -- members that do not sync: removed -> PreparingRebalance
//   Completing, Stable -- an id that was given: leaves ------> PreparingRebalance    falls silent: nothing
//   Stable -------------- a static member is back -----------> Stable                new id appended; another protocol: rebalance
//
// The log remembers the last generation that became stable or empty. A rebalance under way is forgotten by a restart; its
// members join again. Rules are those of Kafka's GroupMetadataManager and ClassicGroup (KIP-62, 134, 345, 394, 559, 814), each in the file
// of its subject: classic-join.ts, classic-static.ts, classic-sync.ts, classic-leave.ts, and classic-rebalance.ts below them.

import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { Group } from '../group.ts'
import type {
  CommitEvent,
  GroupEffect,
  GroupTimerEvent,
  HeartbeatEvent,
  JoinEvent,
  LeaveEvent,
  SyncEvent,
} from '../group-event.ts'
import type { CommittedOffset, GroupGeneration, GroupRecord } from '../group-record.ts'
import { heartbeatAnswer, unknownMemberId } from '../group-response.ts'
import type { GroupSettings } from '../group-settings.ts'
import { begin, type ConvertedGroup, giveWay, takePlace } from './classic-conversion.ts'
import { join } from './classic-join.ts'
import { connectionClosed, leave, sessionExpired } from './classic-leave.ts'
import { ClassicMember } from './classic-member.ts'
import { partitionsIn } from './classic-notes.ts'
import { completeJoin, initialDelayOver, prepareRebalance, syncOverdue } from './classic-rebalance.ts'
import { applyGeneration } from './classic-record.ts'
import { type ClassicPhase, ClassicState } from './classic-state.ts'
import { consumerProtocolType, subscribedTopics } from './classic-subscription.ts'
import { sync } from './classic-sync.ts'

export type ClassicGroupEvent =
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  | GroupTimerEvent
  | { readonly kind: 'connectionClosed'; readonly connectionId: number }

export class ClassicGroup implements Group {
  readonly type = 'classic'
  readonly groupId: string
  readonly #group: ClassicState
  /** Topics its consumers read as of this generation, null when they do not say; undefined until somebody asks. */
  #subscribed: ReadonlySet<string> | null | undefined
  /** What the log gets is known here already, and more. */
  #foreseen: GroupGeneration | null = null

  constructor(groupId: string, settings: GroupSettings) {
    this.groupId = groupId
    this.#group = new ClassicState(groupId, settings)
  }

  /**
   * What was a consumer group until now (KIP-848), in the generation that was its epoch. `value`: what the log is about to hold, and
   * this group need not be told. `begin` follows.
   */
  static converted(
    groupId: string,
    settings: GroupSettings,
    { value, protocolsOf, generation }: ConvertedGroup,
  ): ClassicGroup {
    const group = new ClassicGroup(groupId, settings)
    takePlace(group.#group, { ...value, generation }, protocolsOf)
    group.#foreseen = value
    return group
  }

  get state(): ClassicPhase {
    return this.#group.phase
  }

  get generation(): number {
    return this.#group.generation
  }

  get protocolType(): string | null {
    return this.#group.protocolType
  }

  get protocol(): string | null {
    return this.#group.protocol
  }

  /** Wall milliseconds at which the log's generation began, or -1. */
  get stateSince(): Millis {
    return this.#group.since
  }

  get leaderId(): string | null {
    return this.#group.roster.leaderId
  }

  get members(): readonly ClassicMember[] {
    return [...this.#group.roster]
  }

  get deserted(): boolean {
    return this.#group.phase === 'Empty' && this.#group.pendingJoins.size === 0
  }

  step(event: ClassicGroupEvent, now: Millis): GroupEffect[] {
    this.#group.now = now
    const { generation } = this.#group
    const effects = this.#decide(event)
    // What members say while they join counts with the generation that they join for.
    if (this.#group.generation !== generation) this.#subscribed = this.#readSubscriptions()
    return effects
  }

  #decide(event: ClassicGroupEvent): GroupEffect[] {
    const group = this.#group
    switch (event.kind) {
      case 'join':
        return join(group, event)
      case 'sync':
        return sync(group, event)
      case 'heartbeat':
        return this.#heartbeat(event)
      case 'leave':
        return leave(group, event)
      case 'sessionExpired':
        return sessionExpired(group, event.memberId)
      case 'initialDelayOver':
        return initialDelayOver(group, event.delayMs, event.remainingMs)
      case 'joinPhaseOver':
        return group.phase === 'PreparingRebalance' ? completeJoin(group) : []
      case 'syncOverdue':
        return syncOverdue(group, event.generation)
      case 'connectionClosed':
        return connectionClosed(group, event.connectionId)
    }
  }

  /** After a conversion: members have a session, and are asked to rejoin where `rebalance`. */
  begin(rebalance: boolean, now: Millis): GroupEffect[] {
    this.#group.now = now
    return begin(this.#group, rebalance)
  }

  /** A consumer group takes this group's place. */
  giveWay(): GroupEffect[] {
    return giveWay(this.#group)
  }

  apply(value: GroupGeneration): void {
    if (value === this.#foreseen) return
    // The record that founds a group says that it has no members. They have begun to come.
    if (this.#group.phase === 'PreparingRebalance' && value.generation <= this.#group.generation) return
    if (value.generation !== this.#group.generation) this.#subscribed = undefined
    applyGeneration(this.#group, value)
  }

  /** Members get a fresh session: what they sent meanwhile was heard by nobody. */
  loaded(now: Millis): GroupEffect[] {
    const group = this.#group
    group.now = now
    const effects: GroupEffect[] = []
    for (const member of group.roster) {
      if (group.protocolType === consumerProtocolType) member.owned = partitionsIn(member.assignment)
      effects.push(group.heard(member))
    }
    // The limit was lowered. Members get to commit offsets before some of them have to go.
    return group.roster.size > group.settings.maxSize ? [...effects, ...prepareRebalance(group, null)] : effects
  }

  #heartbeat({ request, replyTo, sender }: HeartbeatEvent): GroupEffect[] {
    const group = this.#group
    const refuse = (code: ErrorCode) => [reply(replyTo, heartbeatAnswer(code))]
    const member = group.authentic(request.memberId, request.groupInstanceId)
    if (!(member instanceof ClassicMember)) return refuse(member)
    if (request.generationId !== group.generation) return refuse(ErrorCode.ILLEGAL_GENERATION)
    member.connectionId = sender.connectionId
    const rebalancing = group.phase === 'PreparingRebalance'
    const code = rebalancing ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
    return [group.heard(member), reply(replyTo, heartbeatAnswer(code))]
  }

  // ---- Offsets

  /**
   * Whoever is not a member commits without generation, to a group without members. A member that is told to sync first has the right
   * generation, but not yet its assignment.
   */
  checkCommit({ request }: CommitEvent): ErrorCode {
    const { phase, generation: current } = this.#group
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
    if (generation < 0 && phase === 'Empty') return ErrorCode.NONE
    if (generation < 0 && memberId === unknownMemberId && groupInstanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID
    const member = this.#group.authentic(memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) return member
    if (generation !== current) return ErrorCode.ILLEGAL_GENERATION
    return phase === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  committed({ request, sender }: CommitEvent, now: Millis): GroupEffect[] {
    this.#group.now = now
    const member = this.#group.roster.get(request.memberId)
    if (member === undefined) return []
    member.connectionId = sender.connectionId
    return [this.#group.heard(member)]
  }

  /** What is read with the group's offsets is the client's own affair. */
  checkFetch(): ErrorCode {
    return ErrorCode.NONE
  }

  /** Whoever does not say what it reads may read anything. */
  isSubscribedTo(topic: string): boolean {
    return this.#topics()?.has(topic) ?? this.protocolType === consumerProtocolType
  }

  /**
   * The time runs from the moment the group became empty; for a consumer group with members, and for a group that never had any, from
   * the commit (KIP-186, KIP-211). A retention of the commit's own overrides the broker's.
   */
  isExpired(topic: string, offset: CommittedOffset, retentionMs: Millis, now: Millis): boolean {
    const { phase, since, protocolType } = this.#group
    const hadMembers = protocolType !== null
    const topics = this.#topics()
    if (hadMembers && phase !== 'Empty' && (topics === null || phase !== 'Stable')) return false
    if (topics?.has(topic) === true) return false
    if (offset.expireTimestamp >= 0) return now >= offset.expireTimestamp
    const emptySince = hadMembers && phase === 'Empty' ? since : -1
    return now - (emptySince >= 0 ? emptySince : offset.commitTimestamp) >= retentionMs
  }

  tombstones(): GroupRecord[] {
    return [{ kind: 'groupDeleted', groupId: this.groupId }]
  }

  #topics(): ReadonlySet<string> | null {
    if (this.#subscribed === undefined) this.#subscribed = this.#readSubscriptions()
    return this.#subscribed
  }

  #readSubscriptions(): ReadonlySet<string> | null {
    const { protocolType, roster, protocol } = this.#group
    return protocolType === consumerProtocolType ? subscribedTopics(roster, protocol) : null
  }
}
