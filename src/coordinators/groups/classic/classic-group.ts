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
//
// The log remembers the last generation that became stable or empty. A rebalance under way is forgotten by a restart; its
// members join again. Rules are those of Kafka's GroupMetadataManager and ClassicGroup (KIP-62, 134, 345, 394, 559, 814).

import type { Millis } from '../../../io/clock.ts'
import { invariant } from '../../../lib/invariant.ts'
import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import type { LeaveGroupResponse } from '../../../protocol/apis/leave-group.ts'
import type { SyncGroupResponse } from '../../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import { ClassicMember, noBytes } from './classic-member.ts'
import { ClassicRoster } from './classic-roster.ts'
import { consumerProtocolType, subscribedTopics } from './classic-subscription.ts'
import { cancelPhase, cancelSession, initialDelayTimer, joinTimer, sessionTimer, syncTimer } from './classic-timers.ts'
import type { Group } from '../group.ts'
import type {
  CommitEvent,
  GroupEffect,
  GroupTimerEvent,
  HeartbeatEvent,
  JoinEvent,
  LeaveEvent,
  LeavingMember,
  SyncEvent,
} from '../group-event.ts'
import type { CommittedOffset, GroupGeneration, GroupRecord } from '../group-record.ts'
import { heartbeatAnswer, joinRefused, syncRefused, unknownMemberId } from '../group-response.ts'
import type { GroupSettings } from '../group-settings.ts'

export type ClassicGroupEvent =
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  | GroupTimerEvent
  | { readonly kind: 'connectionClosed'; readonly connectionId: number }

export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** A group that never had a member: what a new one starts as, in the log too. */
export const foundingGeneration = {
  protocolType: '',
  generation: 0,
  protocol: null,
  leader: null,
  members: [],
} as const satisfies Omit<GroupGeneration, 'currentStateTimestamp'>

export class ClassicGroup implements Group {
  readonly type = 'classic'
  readonly groupId: string
  readonly #settings: GroupSettings
  readonly #roster = new ClassicRoster()
  /** Members that were given an id and have yet to join with it, by id, with the connection they were heard on (KIP-394). */
  readonly #pendingJoins = new Map<string, number>()
  /** Members of this generation that have yet to sync. */
  readonly #pendingSyncs = new Set<string>()
  #state: ClassicGroupState = 'Empty'
  #generation = 0
  #protocolType: string | null = null
  #protocol: string | null = null
  /** Wall milliseconds at which the log's generation began, or -1. */
  #stateSince: Millis = -1
  /** The rebalance under way began empty: it ends when its delay is over, so that more members can come. */
  #initial = false
  /** Members came since the initial delay was last extended. */
  #moreMembersCame = false
  /** Wall time of the event being decided. */
  #now: Millis = 0
  /** Topics its consumers read, null when they do not say; undefined until somebody asks. */
  #subscribed: ReadonlySet<string> | null | undefined

  constructor(groupId: string, settings: GroupSettings) {
    this.groupId = groupId
    this.#settings = settings
  }

  get state(): ClassicGroupState {
    return this.#state
  }

  get generation(): number {
    return this.#generation
  }

  /** Null before the first member, and for a group that only commits offsets. */
  get protocolType(): string | null {
    return this.#protocolType
  }

  get protocol(): string | null {
    return this.#protocol
  }

  get stateSince(): Millis {
    return this.#stateSince
  }

  get leaderId(): string | null {
    return this.#roster.leaderId
  }

  get members(): readonly ClassicMember[] {
    return [...this.#roster]
  }

  /** Nobody is in it, and nobody is about to be. */
  get deserted(): boolean {
    return this.#state === 'Empty' && this.#pendingJoins.size === 0
  }

  step(event: ClassicGroupEvent, now: Millis): GroupEffect[] {
    this.#now = now
    this.#subscribed = undefined
    switch (event.kind) {
      case 'join':
        return this.#join(event)
      case 'sync':
        return this.#sync(event)
      case 'heartbeat':
        return this.#heartbeat(event)
      case 'leave':
        return this.#leave(event)
      case 'sessionExpired':
        return this.#sessionExpired(event.memberId)
      case 'initialDelayOver':
        return this.#initialDelayOver(event.delayMs, event.remainingMs)
      case 'joinPhaseOver':
        return this.#state === 'PreparingRebalance' ? this.#completeJoin() : []
      case 'syncOverdue':
        return this.#syncOverdue(event.generation)
      case 'connectionClosed':
        return this.#connectionClosed(event.connectionId)
    }
  }

  /** The generation the log has now. Members that have joined since the log was read keep what they told us. */
  apply(value: GroupGeneration): void {
    // The record that founds a group says that it has no members. They have begun to come.
    if (this.#state === 'PreparingRebalance' && value.generation <= this.#generation) return
    this.#subscribed = undefined
    const before = this.#roster.clear()
    for (const record of value.members) {
      const member = before.get(record.memberId)
      if (member === undefined || member.restored) {
        this.#roster.add(ClassicMember.fromRecord(record, value.protocol))
      } else {
        member.assignment = record.assignment
        this.#roster.add(member)
      }
    }
    this.#generation = value.generation
    this.#protocolType = value.protocolType === '' ? null : value.protocolType
    this.#protocol = value.protocol
    this.#roster.leaderId = value.leader
    this.#state = value.members.length === 0 ? 'Empty' : 'Stable'
    this.#stateSince = value.currentStateTimestamp
  }

  /** Members get a fresh session: what they sent meanwhile was heard by nobody. */
  loaded(now: Millis): GroupEffect[] {
    this.#now = now
    const effects = Array.from(this.#roster, ({ memberId, sessionTimeoutMs }) =>
      sessionTimer(this.groupId, memberId, sessionTimeoutMs),
    )
    // The limit was lowered. Members get to commit offsets before some of them have to go.
    return this.#roster.size > this.#settings.maxSize ? [...effects, ...this.#prepareRebalance()] : effects
  }

  // ---- JoinGroup

  #join(event: JoinEvent): GroupEffect[] {
    const { request, replyTo, newMemberId, sender } = event
    const { memberId, groupInstanceId } = request
    const refuse = (code: ErrorCode) => [reply(replyTo, joinRefused(memberId, code))]
    if (!this.#accepts(memberId)) {
      this.#pendingJoins.delete(memberId)
      this.#roster.remove(memberId)
      const refused = reply(replyTo, joinRefused(unknownMemberId, ErrorCode.GROUP_MAX_SIZE_REACHED))
      return [cancelSession(this.groupId, memberId), refused, ...this.#completeJoinIfAllThere()]
    }
    if (!this.#supports(request)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    if (memberId === unknownMemberId) {
      const holder = groupInstanceId === null ? undefined : this.#roster.byInstance(groupInstanceId)
      if (holder !== undefined) return this.#replaceStatic(event, holder)
      if (groupInstanceId !== null || sender.apiVersion < 4) return this.#add(event, newMemberId)
      // KIP-394: the member has to come back with its id, so that a client that gives up leaves nothing behind.
      this.#pendingJoins.set(newMemberId, sender.connectionId)
      return [
        sessionTimer(this.groupId, newMemberId, request.sessionTimeoutMs),
        reply(replyTo, joinRefused(newMemberId, ErrorCode.MEMBER_ID_REQUIRED)),
      ]
    }
    if (this.#pendingJoins.has(memberId)) {
      if (groupInstanceId !== null) return refuse(ErrorCode.UNKNOWN_MEMBER_ID) // no static member was ever given this id
      return this.#add(event, memberId)
    }
    const member = this.#authentic(memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) return refuse(member)
    return this.#rejoin(event, member)
  }

  /**
   * New members are let in up to the group's greatest size. While members rejoin, those that have count: so the last to rejoin a
   * group that is too large stay out, should the limit have been lowered.
   */
  #accepts(memberId: string): boolean {
    const member = this.#roster.get(memberId)
    switch (this.#state) {
      case 'Empty':
        return true
      case 'PreparingRebalance':
        return (
          (member !== undefined && member.joinReply !== null) || this.#roster.waitingToJoin < this.#settings.maxSize
        )
      case 'CompletingRebalance':
      case 'Stable':
        return member !== undefined || this.#roster.size < this.#settings.maxSize
    }
  }

  #supports({ protocolType, protocols }: JoinEvent['request']): boolean {
    if (this.#roster.size === 0) return protocolType !== '' && protocols.length > 0
    return protocolType === this.#protocolType && this.#roster.supportsAny(protocols.map(({ name }) => name))
  }

  /** The member, if it is who it says it is. */
  #authentic(memberId: string, groupInstanceId: string | null): ClassicMember | ErrorCode {
    if (groupInstanceId !== null) {
      const holder = this.#roster.byInstance(groupInstanceId)
      if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (holder.memberId !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.#roster.get(memberId) ?? ErrorCode.UNKNOWN_MEMBER_ID
  }

  #add(event: JoinEvent, memberId: string): GroupEffect[] {
    if (this.#state === 'PreparingRebalance' && this.#initial) this.#moreMembersCame = true
    if (this.#roster.size === 0) this.#protocolType = event.request.protocolType
    const member = ClassicMember.joining(memberId, event)
    this.#roster.update(member, event)
    this.#roster.add(member)
    this.#pendingJoins.delete(memberId)
    return [
      sessionTimer(this.groupId, memberId, this.#settings.newMemberJoinTimeoutMs),
      ...this.#rebalanceOrCompleteJoin(),
    ]
  }

  #rejoin(event: JoinEvent, member: ClassicMember): GroupEffect[] {
    const { request, replyTo } = event
    const unchanged = member.offers(request.protocols)
    const isLeader = this.#roster.isLeader(member.memberId)
    switch (this.#state) {
      case 'Empty':
        return [reply(replyTo, joinRefused(member.memberId, ErrorCode.UNKNOWN_MEMBER_ID))]
      case 'PreparingRebalance':
        break
      case 'CompletingRebalance':
        // It has not got our answer, perhaps. Once more.
        if (unchanged) return [reply(replyTo, this.#joined(member, { withMembers: isLeader }))]
        break
      case 'Stable':
        // A leader asks for a rebalance by joining: for a change that members cannot see, such as more partitions of a topic.
        if (unchanged && !isLeader) return [reply(replyTo, this.#joined(member, { withMembers: false }))]
    }
    const effects = this.#endWaits(member, ErrorCode.UNKNOWN_MEMBER_ID)
    this.#roster.update(member, event)
    return [...effects, ...this.#rebalanceOrCompleteJoin()]
  }

  /**
   * KIP-345: a static member is back without knowing its id. It gets a new one, and whoever still uses the old is fenced. In a stable
   * group it takes up where it left off, without a rebalance, unless the group would now choose another protocol.
   */
  #replaceStatic(event: JoinEvent, old: ClassicMember): GroupEffect[] {
    const { request, replyTo, sender, newMemberId } = event
    const effects = this.#endWaits(old, ErrorCode.FENCED_INSTANCE_ID)
    const leaderBefore = this.#roster.leaderId
    const member = this.#roster.replace(old, newMemberId)
    this.#pendingSyncs.delete(old.memberId)
    this.#roster.update(member, event)
    effects.push(
      cancelSession(this.groupId, old.memberId),
      sessionTimer(this.groupId, newMemberId, request.sessionTimeoutMs),
    )
    switch (this.#state) {
      case 'Stable': {
        if (this.#roster.selectProtocol() !== this.#protocol) return [...effects, ...this.#rebalanceOrCompleteJoin()]
        this.#roster.setJoinReply(member, null)
        const isLeader = this.#roster.isLeader(newMemberId)
        // KIP-814: before version 9 a leader could not be told to leave assignments alone, so it hears that the old one leads.
        const response =
          sender.apiVersion >= 9
            ? { ...this.#joined(member, { withMembers: isLeader }), skipAssignment: isLeader }
            : { ...this.#joined(member, { withMembers: false }), leader: leaderBefore ?? '' }
        return [...effects, this.#record(({ assignment }) => assignment, this.#stateSince), reply(replyTo, response)]
      }
      case 'CompletingRebalance':
        // The leader may know the old id already, and would assign to that.
        return [...effects, ...this.#prepareRebalance()]
      case 'Empty':
      case 'PreparingRebalance':
        return [...effects, ...this.#completeJoinIfAllThere()]
    }
  }

  /** Answers the join or sync that waits for this member: nothing will come of it. */
  #endWaits(member: ClassicMember, code: ErrorCode): GroupEffect[] {
    const effects: GroupEffect[] = []
    if (member.joinReply !== null) {
      const memberId = code === ErrorCode.FENCED_INSTANCE_ID ? member.memberId : unknownMemberId
      effects.push(reply(member.joinReply, joinRefused(memberId, code)))
      this.#roster.setJoinReply(member, null)
    }
    if (member.syncReply !== null) {
      effects.push(reply(member.syncReply, syncRefused(code)))
      member.syncReply = null
    }
    return effects
  }

  #joined(member: ClassicMember, { withMembers }: { withMembers: boolean }): JoinGroupResponse {
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocol ?? '',
      leader: this.#roster.leaderId ?? '',
      skipAssignment: false,
      memberId: member.memberId,
      members: withMembers
        ? Array.from(this.#roster, (each) => ({
            memberId: each.memberId,
            groupInstanceId: each.groupInstanceId,
            metadata: each.metadataFor(this.#protocol),
          }))
        : [],
    }
  }

  // ---- Rebalance

  #rebalanceOrCompleteJoin(): GroupEffect[] {
    return this.#state === 'PreparingRebalance' ? this.#completeJoinIfAllThere() : this.#prepareRebalance()
  }

  #prepareRebalance(): GroupEffect[] {
    const effects: GroupEffect[] = []
    if (this.#state === 'CompletingRebalance') {
      for (const member of this.#roster) {
        member.assignment = noBytes
        effects.push(...this.#answerSync(member, syncRefused(ErrorCode.REBALANCE_IN_PROGRESS)))
      }
    }
    this.#pendingSyncs.clear()
    effects.push(cancelPhase(this.groupId, 'sync'))
    this.#initial = this.#state === 'Empty'
    this.#moreMembersCame = false
    this.#state = 'PreparingRebalance'
    if (this.#initial) {
      const delayMs = this.#settings.initialRebalanceDelayMs
      const remainingMs = Math.max(this.#roster.rebalanceTimeoutMs - delayMs, 0)
      return [...effects, initialDelayTimer(this.groupId, delayMs, remainingMs)]
    }
    return [
      ...effects,
      ...(this.#allJoined() ? this.#completeJoin() : [joinTimer(this.groupId, this.#roster.rebalanceTimeoutMs)]),
    ]
  }

  #allJoined(): boolean {
    return this.#roster.waitingToJoin === this.#roster.size && this.#pendingJoins.size === 0
  }

  #completeJoinIfAllThere(): GroupEffect[] {
    return this.#state === 'PreparingRebalance' && !this.#initial && this.#allJoined() ? this.#completeJoin() : []
  }

  /** The initial delay is over: wait as long again if members came meanwhile, up to the rebalance timeout in all. */
  #initialDelayOver(delayMs: Millis, remainingMs: Millis): GroupEffect[] {
    if (this.#state !== 'PreparingRebalance') return []
    if (!this.#moreMembersCame || remainingMs === 0) return this.#completeJoin()
    this.#moreMembersCame = false
    const nextDelayMs = Math.min(this.#settings.initialRebalanceDelayMs, remainingMs)
    return [initialDelayTimer(this.groupId, nextDelayMs, Math.max(remainingMs - delayMs, 0))]
  }

  /** Those who have not rejoined are out, save static members; whoever is left is the next generation. */
  #completeJoin(): GroupEffect[] {
    const effects: GroupEffect[] = [cancelPhase(this.groupId, 'join')]
    for (const { memberId, joinReply, groupInstanceId } of this.#roster) {
      if (joinReply !== null || groupInstanceId !== null) continue
      this.#roster.remove(memberId)
      effects.push(cancelSession(this.groupId, memberId))
    }
    if (this.#roster.size === 0) {
      const value = { ...foundingGeneration, generation: this.#generation + 1, protocolType: this.#protocolType ?? '' }
      return [...effects, this.#append({ ...value, currentStateTimestamp: this.#now })] // and `apply` makes it Empty
    }
    // Only static members are left, and none has rejoined: go on waiting, until they do or their sessions end.
    if (!this.#roster.electJoinedLeader()) return [...effects, joinTimer(this.groupId, this.#roster.rebalanceTimeoutMs)]
    this.#generation++
    this.#protocol = this.#roster.selectProtocol()
    this.#state = 'CompletingRebalance'
    for (const member of this.#roster) {
      const withMembers = this.#roster.isLeader(member.memberId)
      if (member.joinReply !== null) effects.push(reply(member.joinReply, this.#joined(member, { withMembers })))
      this.#roster.setJoinReply(member, null)
      member.isNew = false
      this.#pendingSyncs.add(member.memberId)
      effects.push(sessionTimer(this.groupId, member.memberId, member.sessionTimeoutMs))
    }
    return [...effects, syncTimer(this.groupId, this.#roster.rebalanceTimeoutMs, this.#generation)]
  }

  // ---- SyncGroup

  #sync(event: SyncEvent): GroupEffect[] {
    const { request, replyTo, sender } = event
    const refuse = (code: ErrorCode) => [reply(replyTo, syncRefused(code))]
    const member = this.#authentic(request.memberId, request.groupInstanceId)
    if (!(member instanceof ClassicMember)) return refuse(member)
    if (request.generationId !== this.#generation) return refuse(ErrorCode.ILLEGAL_GENERATION)
    // KIP-559: a member names what it believes was agreed on.
    if (differs(request.protocolType, this.#protocolType) || differs(request.protocolName, this.#protocol)) {
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    member.connectionId = sender.connectionId
    switch (this.#state) {
      case 'Empty':
        return refuse(ErrorCode.UNKNOWN_MEMBER_ID)
      case 'PreparingRebalance':
        return refuse(ErrorCode.REBALANCE_IN_PROGRESS)
      case 'CompletingRebalance': {
        const effects = [...this.#endWaits(member, ErrorCode.REBALANCE_IN_PROGRESS), ...this.#synced(member)]
        member.syncReply = replyTo
        return this.#roster.isLeader(member.memberId) ? [...effects, ...this.#assign(request.assignments)] : effects
      }
      case 'Stable':
        return [...this.#synced(member), reply(replyTo, this.#assigned(member.assignment))]
    }
  }

  #synced({ memberId }: ClassicMember): GroupEffect[] {
    this.#pendingSyncs.delete(memberId)
    return this.#pendingSyncs.size === 0 ? [cancelPhase(this.groupId, 'sync')] : []
  }

  /** The leader has spoken: what it says goes to the log, then to all who wait. Members it left out get nothing. */
  #assign(given: SyncEvent['request']['assignments']): GroupEffect[] {
    const assignments = new Map(given.map(({ memberId, assignment }) => [memberId, new Uint8Array(assignment)]))
    const assignmentOf = ({ memberId }: ClassicMember) => assignments.get(memberId) ?? noBytes
    const effects = [this.#record(assignmentOf, this.#now)] // and `apply` makes it Stable
    for (const member of this.#roster) {
      effects.push(...this.#answerSync(member, this.#assigned(assignmentOf(member))))
    }
    return effects
  }

  #assigned(assignment: Uint8Array): SyncGroupResponse {
    const { NONE } = ErrorCode
    return {
      throttleTimeMs: 0,
      errorCode: NONE,
      protocolType: this.#protocolType,
      protocolName: this.#protocol,
      assignment,
    }
  }

  /** Who waits in SyncGroup cannot send heartbeats: its session begins anew with the answer. */
  #answerSync(member: ClassicMember, response: SyncGroupResponse): GroupEffect[] {
    if (member.syncReply === null) return []
    const answer = reply(member.syncReply, response)
    member.syncReply = null
    return [answer, sessionTimer(this.groupId, member.memberId, member.sessionTimeoutMs)]
  }

  #syncOverdue(generation: number): GroupEffect[] {
    const underWay = this.#state === 'CompletingRebalance' || this.#state === 'Stable'
    if (generation !== this.#generation || !underWay || this.#pendingSyncs.size === 0) return []
    const effects: GroupEffect[] = []
    for (const memberId of this.#pendingSyncs) {
      this.#roster.remove(memberId)
      effects.push(cancelSession(this.groupId, memberId))
    }
    return [...effects, ...this.#prepareRebalance()]
  }

  // ---- Heartbeat, LeaveGroup, and members that are gone

  #heartbeat({ request, replyTo, sender }: HeartbeatEvent): GroupEffect[] {
    const refuse = (code: ErrorCode) => [reply(replyTo, heartbeatAnswer(code))]
    const member = this.#authentic(request.memberId, request.groupInstanceId)
    if (!(member instanceof ClassicMember)) return refuse(member)
    if (request.generationId !== this.#generation) return refuse(ErrorCode.ILLEGAL_GENERATION)
    member.connectionId = sender.connectionId
    const rebalancing = this.#state === 'PreparingRebalance'
    const code = rebalancing ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
    return [sessionTimer(this.groupId, member.memberId, member.sessionTimeoutMs), reply(replyTo, heartbeatAnswer(code))]
  }

  #leave({ members, replyTo }: LeaveEvent): GroupEffect[] {
    const effects: GroupEffect[] = []
    const answers: LeaveGroupResponse['members'][number][] = []
    let anyLeft = false
    for (const leaving of members) {
      const errorCode = this.#leaveOne(leaving, effects)
      anyLeft ||= errorCode === ErrorCode.NONE
      const { memberId, groupInstanceId } = leaving
      answers.push({ memberId, groupInstanceId, errorCode })
    }
    if (anyLeft && this.#state !== 'Empty') effects.push(...this.#rebalanceOrCompleteJoin())
    return [...effects, reply(replyTo, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members: answers })]
  }

  /** An administrator may name a static member by its instance alone. */
  #leaveOne({ memberId, groupInstanceId }: LeavingMember, effects: GroupEffect[]): ErrorCode {
    if (this.#pendingJoins.delete(memberId)) {
      effects.push(cancelSession(this.groupId, memberId))
      return ErrorCode.NONE
    }
    let member: ClassicMember | ErrorCode | undefined
    if (memberId !== unknownMemberId) member = this.#authentic(memberId, groupInstanceId)
    else if (groupInstanceId !== null) member = this.#roster.byInstance(groupInstanceId)
    if (!(member instanceof ClassicMember)) return member ?? ErrorCode.UNKNOWN_MEMBER_ID
    effects.push(...this.#drop(member))
    return ErrorCode.NONE
  }

  /** Members whose join or sync waits cannot be silent, save new ones: a client that gave up must not stay for ever. */
  #sessionExpired(memberId: string): GroupEffect[] {
    if (this.#pendingJoins.delete(memberId)) return this.#someoneIsGone()
    const member = this.#roster.get(memberId)
    if (member === undefined) return []
    if (!member.isNew && (member.joinReply !== null || member.syncReply !== null)) return []
    return [...this.#drop(member), ...this.#someoneIsGone()]
  }

  /** Static members may come back: only their session decides. */
  #connectionClosed(connectionId: number): GroupEffect[] {
    const effects: GroupEffect[] = []
    for (const [memberId, heardOn] of this.#pendingJoins) {
      if (heardOn !== connectionId) continue
      this.#pendingJoins.delete(memberId)
      effects.push(cancelSession(this.groupId, memberId))
    }
    for (const member of this.#roster) {
      if (member.connectionId === connectionId && member.groupInstanceId === null) effects.push(...this.#drop(member))
    }
    return effects.length === 0 ? [] : [...effects, ...this.#someoneIsGone()]
  }

  #drop(member: ClassicMember): GroupEffect[] {
    const effects = this.#endWaits(member, ErrorCode.UNKNOWN_MEMBER_ID)
    this.#roster.remove(member.memberId)
    this.#pendingSyncs.delete(member.memberId)
    return [...effects, cancelSession(this.groupId, member.memberId)]
  }

  #someoneIsGone(): GroupEffect[] {
    switch (this.#state) {
      case 'Empty':
        return []
      case 'PreparingRebalance':
        return this.#allJoined() ? this.#completeJoin() : []
      case 'CompletingRebalance':
      case 'Stable':
        return this.#prepareRebalance()
    }
  }

  // ---- OffsetCommit

  /**
   * NONE when the sender may commit offsets for this group. Whoever is not a member commits without generation, to a group without
   * members. A member that is told to sync first has the right generation, but not yet its assignment.
   */
  checkCommit({ request }: CommitEvent): ErrorCode {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
    if (generation < 0 && this.#state === 'Empty') return ErrorCode.NONE
    if (generation < 0 && memberId === unknownMemberId && groupInstanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID
    const member = this.#authentic(memberId, groupInstanceId)
    if (!(member instanceof ClassicMember)) return member
    if (generation !== this.#generation) return ErrorCode.ILLEGAL_GENERATION
    return this.#state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** A commit is a sign of life. */
  committed({ request, sender }: CommitEvent): GroupEffect[] {
    const member = this.#roster.get(request.memberId)
    if (member === undefined) return []
    member.connectionId = sender.connectionId
    return [sessionTimer(this.groupId, member.memberId, member.sessionTimeoutMs)]
  }

  /** What is read with the group's offsets is the client's own affair. */
  checkFetch(): ErrorCode {
    return ErrorCode.NONE
  }

  // ---- Offsets that nobody needs

  /** Whoever does not say what it reads may read anything. */
  isSubscribedTo(topic: string): boolean {
    return this.#topics()?.has(topic) ?? this.#protocolType === consumerProtocolType
  }

  /**
   * The time runs from the moment the group became empty; for a consumer group with members, and for a group that never had any, from
   * the commit (KIP-186, KIP-211). A retention of the commit's own overrides the broker's.
   */
  isExpired(topic: string, offset: CommittedOffset, retentionMs: Millis, now: Millis): boolean {
    const hadMembers = this.#protocolType !== null
    const topics = this.#topics()
    if (hadMembers && this.#state !== 'Empty' && (topics === null || this.#state !== 'Stable')) return false
    if (topics?.has(topic) === true) return false
    if (offset.expireTimestamp >= 0) return now >= offset.expireTimestamp
    const emptySince = hadMembers && this.#state === 'Empty' ? this.#stateSince : -1
    return now - (emptySince >= 0 ? emptySince : offset.commitTimestamp) >= retentionMs
  }

  #topics(): ReadonlySet<string> | null {
    if (this.#protocolType !== consumerProtocolType) return null
    if (this.#subscribed === undefined) this.#subscribed = subscribedTopics(this.#roster, this.#protocol)
    return this.#subscribed
  }

  // ---- Records

  tombstones(): GroupRecord[] {
    return [{ kind: 'groupDeleted', groupId: this.groupId }]
  }

  #record(assignmentOf: (member: ClassicMember) => Uint8Array, currentStateTimestamp: Millis): GroupEffect {
    invariant(this.#protocol !== null, 'a generation with members has a protocol')
    return this.#append({
      protocolType: this.#protocolType ?? '',
      generation: this.#generation,
      protocol: this.#protocol,
      leader: this.#roster.leaderId,
      currentStateTimestamp,
      members: Array.from(this.#roster, (member) => member.toRecord(this.#protocol, assignmentOf(member))),
    })
  }

  #append(value: GroupGeneration): GroupEffect {
    return { kind: 'append', records: [{ kind: 'generation', groupId: this.groupId, value }] }
  }
}

/** Only what is known on both sides can differ. */
function differs(said: string | null, agreed: string | null): boolean {
  return said !== null && agreed !== null && said !== agreed
}
