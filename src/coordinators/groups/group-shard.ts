// The state machine of one __consumer_offsets partition: the groups that hash to it, and the offsets they have committed.
//
// A group exists from its first member's JoinGroup or its first committed offset, until a retention check finds it without members
// and without offsets. A group that is not here is Dead: described as such, and whoever claims to be its member is unknown.

import type { Millis } from '../../io/clock.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { type CoordinatorMachine, noTransaction, reply } from '../effect.ts'
import { ClassicGroup } from './classic/classic-group.ts'
import { describeGroup } from './classic/classic-group-view.ts'
import { foundingGeneration } from './classic/classic-record.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import { ConsumerGroups } from './consumer/consumer-groups.ts'
import type { Group } from './group.ts'
import type { GroupConfigs } from './group-config.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'
import type {
  CommitEvent,
  DescribeEvent,
  GroupEffect,
  GroupEvent,
  HeartbeatEvent,
  JoinEvent,
  LeaveEvent,
  ListedGroup,
  ListEvent,
  SyncEvent,
} from './group-event.ts'
import type { GroupRecord } from './group-record.ts'
import {
  commitAnswer,
  describeRefused,
  heartbeatAnswer,
  joinRefused,
  syncRefused,
  unknownMemberId,
} from './group-response.ts'
import type { GroupSettings } from './group-settings.ts'
import { type GroupNote, noted } from './history/group-note.ts'
import { withLastCommits } from './history/last-commit.ts'
import { withTopicCounts } from './history/topic-counts.ts'
import { deleteGroups, deleteOffsets, forgetTopics } from './offsets/deletion.ts'
import { expireOffsets } from './offsets/expiry.ts'
import { commitOffsets, fetchOffsets } from './offsets/offsets.ts'
import type { TopicsView } from './topics-view.ts'

const retentionKey = 'retention'

export interface GroupShardOptions {
  readonly settings: GroupSettings
  readonly configs: GroupConfigs
  readonly topics: TopicsView
}

export class GroupShard implements CoordinatorMachine<GroupEvent, GroupRecord, GroupNote> {
  readonly #settings: GroupSettings
  readonly #groups = new Map<string, Group>()
  readonly #consumers: ConsumerGroups
  readonly #offsets = new CommittedOffsets()
  readonly #topics: TopicsView

  constructor(options: GroupShardOptions) {
    this.#settings = options.settings
    this.#topics = options.topics
    this.#consumers = new ConsumerGroups(this.#groups, options)
  }

  step(event: GroupEvent, now: Millis): readonly GroupEffect[] {
    const effects = withTopicCounts(this.#decide(event, now), this.#topics)
    return withLastCommits(effects, (place) => this.#offsets.get(place))
  }

  #decide(event: GroupEvent, now: Millis): readonly GroupEffect[] {
    switch (event.kind) {
      case 'join':
        return this.#join(event, now)
      case 'sync':
      case 'heartbeat':
      case 'leave':
        return (
          this.#classic(event.groupId)?.step(event, now) ??
          this.#consumers.get(event.groupId)?.step(event, now) ??
          unknownGroup(event)
        )
      case 'sessionExpired':
      case 'initialDelayOver':
      case 'joinPhaseOver':
      case 'syncOverdue':
        return this.#classic(event.groupId)?.step(event, now) ?? []
      case 'connectionClosed':
        return [...this.#groups.values()].flatMap((group) =>
          group instanceof ClassicGroup || group instanceof ConsumerGroup ? group.step(event, now) : [],
        )
      case 'consumerHeartbeat':
        return this.#consumers.heartbeat(event, now)
      case 'consumerDescribe':
        return this.#consumers.describe(event)
      case 'consumerSessionExpired':
      case 'revocationOverdue':
      case 'classicOverdue':
      case 'regexRefresh':
        return this.#consumers.get(event.groupId)?.step(event, now) ?? []
      case 'commitOffsets':
        return this.#commit(event, now)
      case 'fetchOffsets':
        return [reply(event.replyTo, fetchOffsets(event, this.#groups.get(event.groupId), this.#offsets))]
      case 'deleteOffsets':
        return deleteOffsets(event, this.#groups.get(event.groupId), this.#offsets)
      case 'deleteGroups':
        return deleteGroups(event, (groupId) => this.#groups.get(groupId), this.#offsets)
      case 'describe':
        return [reply(event.replyTo, this.#describe(event))]
      case 'list':
        return [reply(event.replyTo, this.#list(event))]
      case 'topicsDeleted':
        return forgetTopics(event.topics, this.#offsets)
      case 'topicsChanged':
        return this.#consumers.topicsChanged(event, now)
      case 'retentionCheck':
        return [
          ...expireOffsets(this.#groups.values(), this.#offsets, this.#settings.offsetsRetentionMs, now),
          this.#retentionTimer(),
        ]
    }
  }

  apply(record: GroupRecord, producerId: number): void {
    switch (record.kind) {
      case 'generation':
        this.#replayedClassic(record.groupId).apply(record.value)
        break
      case 'groupDeleted':
        // A group of the other protocol that has taken its place stays.
        if (this.#classic(record.groupId) !== undefined) this.#groups.delete(record.groupId)
        break
      case 'offset':
        // Whoever commits without ever joining has a group too: without members and protocol type.
        this.#groupFor(record.groupId)
        if (producerId === noTransaction) this.#offsets.set(record, record.value)
        else this.#offsets.setPending(producerId, record, record.value)
        break
      case 'offsetDeleted':
        this.#offsets.delete(record)
        break
      case 'consumerEpoch':
      case 'consumerPartitionMetadata':
      case 'consumerMember':
      case 'consumerTargetEpoch':
      case 'consumerTarget':
      case 'consumerAssignment':
      case 'consumerRegex':
        this.#consumers.apply(record)
    }
  }

  transactionEnded(producerId: number, committed: boolean): void {
    this.#offsets.endTransaction(producerId, committed)
  }

  loaded(now: Millis): readonly GroupEffect[] {
    const effects = [...this.#groups.values()].flatMap((group) => [
      ...(group.deserted ? [] : [noted(group.groupId, { kind: 'coordinatorStarted', state: group.state })]),
      ...group.loaded(now),
    ])
    return [...effects, this.#retentionTimer()]
  }

  #classic(groupId: string): ClassicGroup | undefined {
    const group = this.#groups.get(groupId)
    return group instanceof ClassicGroup ? group : undefined
  }

  #groupFor(groupId: string): Group {
    return this.#groups.get(groupId) ?? this.#replayedClassic(groupId)
  }

  /** The classic group a record is of: what else had the name has made way for it. */
  #replayedClassic(groupId: string): ClassicGroup {
    let group = this.#classic(groupId)
    if (group === undefined) this.#groups.set(groupId, (group = new ClassicGroup(groupId, this.#settings)))
    return group
  }

  #join(event: JoinEvent, now: Millis): GroupEffect[] {
    const { groupId, request, replyTo } = event
    const known = this.#classic(groupId)
    if (known !== undefined) return known.step(event, now)
    const other = this.#consumers.get(groupId)
    if (other !== undefined && !other.deserted) return other.step(event, now)
    if (request.memberId !== unknownMemberId) {
      return [reply(replyTo, joinRefused(request.memberId, ErrorCode.UNKNOWN_MEMBER_ID))]
    }
    const group = new ClassicGroup(groupId, this.#settings)
    const effects = group.step(event, now)
    this.#groups.set(groupId, group) // even when the join was refused, as Kafka does
    const value = { ...foundingGeneration, currentStateTimestamp: now }
    const records: GroupRecord[] = [...(other?.tombstones() ?? []), { kind: 'generation', groupId, value }]
    return [{ kind: 'append', records }, ...effects]
  }

  #commit(event: CommitEvent, now: Millis): GroupEffect[] {
    const { groupId, request, replyTo, sender } = event
    const group = this.#groups.get(groupId)
    let code: ErrorCode = ErrorCode.NONE
    if (group !== undefined) code = group.checkCommit(event)
    // Without generation: an administrator, or a consumer that assigns itself partitions. Its group begins with the offset.
    else if (request.generationIdOrMemberEpoch >= 0) {
      code = sender.apiVersion >= 9 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
    }
    if (code !== ErrorCode.NONE) return [reply(replyTo, commitAnswer(request.topics, code))]
    const effects = commitOffsets(event, this.#settings.offsetMetadataMaxBytes, now)
    return group === undefined ? effects : [...group.committed(event, now), ...effects]
  }

  #describe({ groupId, apiVersion }: DescribeEvent) {
    const group = this.#classic(groupId)
    if (group !== undefined) return describeGroup(group)
    if (apiVersion < 6) return describeRefused(groupId, ErrorCode.NONE, 'Dead')
    const why = this.#groups.has(groupId) ? 'is not a classic group' : 'not found'
    return describeRefused(groupId, ErrorCode.GROUP_ID_NOT_FOUND, 'Dead', `Group ${groupId} ${why}.`)
  }

  #list({ states, types }: ListEvent) {
    const groups = Array.from(this.#groups.values(), listGroup)
    return groups.filter(
      ({ groupState, groupType }) =>
        (states.size === 0 || states.has(groupState.toLowerCase())) && (types.size === 0 || types.has(groupType)),
    )
  }

  #retentionTimer(): GroupEffect {
    const afterMs = this.#settings.offsetsRetentionCheckIntervalMs
    return { kind: 'setTimer', key: retentionKey, afterMs, event: { kind: 'retentionCheck' } }
  }
}

/** Of a group that is not here, nobody is a member. */
function unknownGroup(event: SyncEvent | HeartbeatEvent | LeaveEvent): GroupEffect[] {
  const code = ErrorCode.UNKNOWN_MEMBER_ID
  switch (event.kind) {
    case 'sync':
      return [reply(event.replyTo, syncRefused(code))]
    case 'heartbeat':
      return [reply(event.replyTo, heartbeatAnswer(code))]
    case 'leave': {
      const members = event.members.map(({ memberId, groupInstanceId }) => ({
        memberId,
        groupInstanceId,
        errorCode: code,
      }))
      return [reply(event.replyTo, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members })]
    }
  }
}

/** As ListGroups shows it. */
function listGroup({ groupId, type, protocolType, state }: Group): ListedGroup {
  return { groupId, protocolType: protocolType ?? '', groupState: state, groupType: type }
}
