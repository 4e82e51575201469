// The group coordinator as handlers see it: one method per API. It finds the partition a group belongs to, checks what needs no group,
// and hands the rest to the partition's state machine (group-shard.ts).

import type { Clock } from '../../io/clock.ts'
import type { Random } from '../../io/random.ts'
import { javaHashPartition } from '../../lib/java-hash.ts'
import type { Logger } from '../../lib/logger.ts'
import type {
  DescribeGroupHistoryRequest,
  DescribeGroupHistoryResponse,
} from '../../protocol/apis/describe-group-history.ts'
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/apis/consumer-group-describe.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/apis/consumer-group-heartbeat.ts'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/apis/delete-groups.ts'
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/apis/describe-groups.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/apis/heartbeat.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/apis/join-group.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/apis/leave-group.ts'
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/apis/list-groups.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/apis/offset-commit.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/apis/offset-delete.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/apis/offset-fetch.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { CoordinatorPartition, CoordinatorTopic } from '../coordinator-partition.ts'
import type { ReplyTo } from '../effect.ts'
import { CoordinatorRuntime } from '../runtime.ts'
import type { DeletedTopic, GroupEvent, ListedGroup, Sender } from './group-event.ts'
import { describeConsumerGroupRefused } from './consumer/consumer-group-view.ts'
import { heartbeatProblem, heartbeatRefused } from './consumer/heartbeat-answer.ts'
import type { DescribedConsumerGroup } from './consumer/heartbeat-event.ts'
import type { GroupConfigs } from './group-config.ts'
import type { GroupRecord } from './group-record.ts'
import { groupRecordCodec } from './group-record-codec.ts'
import {
  describeRefused,
  heartbeatAnswer,
  joinRefused,
  leaveRefused,
  syncRefused,
  unknownMemberId,
} from './group-response.ts'
import type { GroupSettings } from './group-settings.ts'
import { GroupShard } from './group-shard.ts'
import { type DescribedHistory, describedHistory, historyRefused } from './history/described-history.ts'
import { GroupHistories } from './history/group-histories.ts'
import type { GroupNote } from './history/group-note.ts'
import { newMemberId } from './member-id.ts'
import { type OffsetRequestContext, requestCommit, requestDeletion, requestFetch } from './offsets/offset-requests.ts'
import type { TopicsView } from './topics-view.ts'

const topicName = '__consumer_offsets'
/** How long FindCoordinator waits for state to be loaded here, so that the client's next request is not refused. */
const loadWaitMs = 1_000

/** What a group may know of a request besides its body; a handler's context is one. */
export interface GroupRequestContext {
  readonly apiVersion: number
  readonly clientId: string | null
  readonly connection: {
    readonly id: number
    readonly remoteAddress: string
    /** Aborts when the connection closes: ends the wait. */
    readonly signal: AbortSignal
  }
}

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly settings: GroupSettings
  readonly configs: GroupConfigs
  readonly topic: CoordinatorTopic
  readonly topics: TopicsView
}

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #runtime: CoordinatorRuntime<GroupEvent, GroupRecord, GroupNote>
  readonly #histories: GroupHistories

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
    const { clock, logger, settings } = options
    this.#histories = new GroupHistories(clock)
    this.#runtime = new CoordinatorRuntime({
      topicName,
      clock,
      logger,
      codec: groupRecordCodec,
      createMachine: () => new GroupShard({ settings, configs: options.configs, topics: options.topics }),
      onNote: (note) => this.#histories.note(note),
      settings: {
        commitTimeoutMs: settings.offsetsCommitTimeoutMs,
        compression: settings.offsetsCompression,
        loadReadBytesMax: settings.offsetsLoadBufferBytes,
      },
    })
  }

  /** This broker leads partition `index` of __consumer_offsets. Resolves when the groups are loaded, or cannot be. */
  elected(index: number, partition: CoordinatorPartition): Promise<void> {
    return this.#runtime.elected(index, partition)
  }

  /** It no longer does: whoever waits hears NOT_COORDINATOR. */
  resigned(index: number): void {
    this.#runtime.resigned(index)
  }

  /** What was committed for these topics is forgotten. */
  topicsDeleted(topics: readonly DeletedTopic[]): void {
    this.#runtime.tellAll({ kind: 'topicsDeleted', topics })
  }

  /** Topics came, went or grew, or their replicas moved: `topics` shows them as they are now. */
  topicsChanged(topics: readonly string[], { anyCreated }: { readonly anyCreated: boolean }): void {
    this.#runtime.tellAll({ kind: 'topicsChanged', topics, anyCreated })
  }

  connectionClosed(connectionId: number): void {
    if (this.#options.settings.removeMembersOnDisconnect) {
      this.#runtime.tellAll({ kind: 'connectionClosed', connectionId })
    }
  }

  /** Whoever waits hears NOT_COORDINATOR; nothing is served after. */
  close(): void {
    this.#runtime.close()
  }

  /**
   * The broker that serves the group, or -1 when none can be named now. Creates __consumer_offsets when it does not exist, and answers
   * when that is done.
   */
  async coordinatorFor(groupId: string): Promise<number> {
    const { topic, logger, clock } = this.#options
    try {
      const index = javaHashPartition(groupId, topic.partitionCount() ?? (await topic.ensure()))
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(loadWaitMs, resolve)
        void this.#runtime.loaded(index).then(() => {
          timer.cancel()
          resolve()
        })
      })
      return topic.leaderOf(index)
    } catch (error) {
      logger.warn({ topic: topicName, err: error }, 'the coordinator topic could not be created')
      return -1
    }
  }

  join(context: GroupRequestContext, request: JoinGroupRequest): Promise<JoinGroupResponse> {
    const { groupId, memberId, sessionTimeoutMs, groupInstanceId } = request
    const refusal = (code: ErrorCode) => joinRefused(memberId, code)
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#options.settings
    if (groupId === '') return Promise.resolve(refusal(ErrorCode.INVALID_GROUP_ID))
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return Promise.resolve(refusal(ErrorCode.INVALID_SESSION_TIMEOUT))
    }
    const sender = senderOf(context)
    const newId =
      memberId === unknownMemberId ? newMemberId(this.#options.random, sender.clientId, groupInstanceId) : memberId
    if (newId === null) return Promise.resolve(refusal(ErrorCode.INVALID_REQUEST))
    return this.#submit(
      context,
      groupId,
      (replyTo) => ({ kind: 'join', groupId, replyTo, sender, request, newMemberId: newId }),
      refusal,
    )
  }

  /** KIP-848: joining, leaving and rebalancing too. */
  consumerHeartbeat(
    context: GroupRequestContext,
    request: ConsumerGroupHeartbeatRequest,
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { groupId } = request
    const { random, settings } = this.#options
    const assignors = settings.consumerAssignors.map(({ name }) => name)
    const problem = heartbeatProblem(request, context.apiVersion, assignors)
    if (problem !== null) return Promise.resolve(heartbeatRefused(problem))
    const sender = senderOf(context)
    const newId = request.memberId === '' ? random.uuid() : request.memberId
    return this.#submit(
      context,
      groupId,
      (replyTo) => ({ kind: 'consumerHeartbeat', groupId, replyTo, sender, request, newMemberId: newId }),
      (code) => heartbeatRefused({ code, message: null }),
    )
  }

  /** KIP-848 groups alone. */
  async describeConsumerGroups(
    context: GroupRequestContext,
    request: ConsumerGroupDescribeRequest,
  ): Promise<ConsumerGroupDescribeResponse> {
    const groups = await Promise.all(
      request.groupIds.map((groupId) => {
        const refusal = (code: ErrorCode) => describeConsumerGroupRefused(groupId, code)
        if (groupId === '') return Promise.resolve(refusal(ErrorCode.INVALID_GROUP_ID))
        return this.#submit(
          context,
          groupId,
          (replyTo: ReplyTo<DescribedConsumerGroup>) => ({ kind: 'consumerDescribe', groupId, replyTo }),
          refusal,
        )
      }),
    )
    return { throttleTimeMs: 0, groups }
  }

  sync(context: GroupRequestContext, request: SyncGroupRequest): Promise<SyncGroupResponse> {
    const { groupId } = request
    // KIP-559: mandatory from version 5 on.
    if (context.apiVersion >= 5 && (request.protocolType === null || request.protocolName === null)) {
      return Promise.resolve(syncRefused(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
    }
    if (groupId === '') return Promise.resolve(syncRefused(ErrorCode.INVALID_GROUP_ID))
    const sender = senderOf(context)
    return this.#submit(
      context,
      groupId,
      (replyTo) => ({ kind: 'sync', groupId, replyTo, sender, request }),
      syncRefused,
    )
  }

  /** While groups are loading nobody can say more, and members get a fresh session after: the answer is NONE. */
  heartbeat(context: GroupRequestContext, request: HeartbeatRequest): Promise<HeartbeatResponse> {
    const { groupId } = request
    if (groupId === '') return Promise.resolve(heartbeatAnswer(ErrorCode.INVALID_GROUP_ID))
    const sender = senderOf(context)
    return this.#submit(
      context,
      groupId,
      (replyTo) => ({ kind: 'heartbeat', groupId, replyTo, sender, request }),
      (code) => heartbeatAnswer(code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : code),
    )
  }

  /** Before version 3 a request names one member, and its error is the answer's. */
  async leave(context: GroupRequestContext, request: LeaveGroupRequest): Promise<LeaveGroupResponse> {
    const { groupId, memberId } = request
    if (groupId === '') return leaveRefused(ErrorCode.INVALID_GROUP_ID)
    const one = context.apiVersion < 3
    const members = one ? [{ memberId, groupInstanceId: null, reason: null }] : request.members
    const answer = await this.#submit(
      context,
      groupId,
      (replyTo: ReplyTo<LeaveGroupResponse>) => ({ kind: 'leave', groupId, replyTo, members }),
      leaveRefused,
    )
    if (!one || answer.errorCode !== ErrorCode.NONE) return answer
    return leaveRefused(answer.members[0]?.errorCode ?? ErrorCode.NONE)
  }

  commitOffsets(context: GroupRequestContext, request: OffsetCommitRequest): Promise<OffsetCommitResponse> {
    return requestCommit(this.#offsets(context), request)
  }

  fetchOffsets(context: GroupRequestContext, request: OffsetFetchRequest): Promise<OffsetFetchResponse> {
    return requestFetch(this.#offsets(context), request)
  }

  deleteOffsets(context: GroupRequestContext, request: OffsetDeleteRequest): Promise<OffsetDeleteResponse> {
    return requestDeletion(this.#offsets(context), request)
  }

  /** Groups of one partition go in one append. */
  async deleteGroups(context: GroupRequestContext, request: DeleteGroupsRequest): Promise<DeleteGroupsResponse> {
    const byPartition = new Map<number, string[]>()
    const partitionCount = this.#options.topic.partitionCount() ?? 1
    for (const groupId of new Set(request.groupsNames)) {
      const index = javaHashPartition(groupId, partitionCount)
      byPartition.set(index, [...(byPartition.get(index) ?? []), groupId])
    }
    const results = await Promise.all(
      Array.from(byPartition.values(), (groupIds) =>
        this.#submit(
          context,
          groupIds[0]!,
          (replyTo: ReplyTo<DeleteGroupsResponse['results']>) => ({ kind: 'deleteGroups', groupIds, replyTo }),
          (errorCode) => groupIds.map((groupId) => ({ groupId, errorCode })),
        ),
      ),
    )
    return { throttleTimeMs: 0, results: results.flat() }
  }

  async describe(context: GroupRequestContext, request: DescribeGroupsRequest): Promise<DescribeGroupsResponse> {
    const { apiVersion } = context
    const groups = await Promise.all(
      request.groups.map((groupId) =>
        this.#submit(
          context,
          groupId,
          (replyTo: ReplyTo<DescribeGroupsResponse['groups'][number]>) => ({
            kind: 'describe',
            groupId,
            replyTo,
            apiVersion,
          }),
          (code) => describeRefused(groupId, code),
        ),
      ),
    )
    return { throttleTimeMs: 0, groups }
  }

  /** Why the groups rebalanced, as far back as this broker remembers. Answered by the coordinator of each group alone. */
  async describeHistory(
    context: GroupRequestContext,
    request: DescribeGroupHistoryRequest,
  ): Promise<DescribeGroupHistoryResponse> {
    const groups = await Promise.all(
      request.groups.map(async (groupId): Promise<DescribedHistory> => {
        const { errorCode } = await this.#submit(
          context,
          groupId,
          (replyTo: ReplyTo<DescribeGroupsResponse['groups'][number]>) => ({
            kind: 'describe',
            groupId,
            replyTo,
            apiVersion: 6,
          }),
          (code) => describeRefused(groupId, code),
        )
        const known = errorCode === ErrorCode.NONE
        if (!known && errorCode !== ErrorCode.GROUP_ID_NOT_FOUND) return historyRefused(groupId, errorCode)
        return describedHistory(groupId, this.#histories.of(groupId), known)
      }),
    )
    return { throttleTimeMs: 0, groups }
  }

  /** The groups this broker serves. Names of states and types are compared without regard to case. */
  async list(context: GroupRequestContext, request: ListGroupsRequest): Promise<ListGroupsResponse> {
    const states = new Set(request.statesFilter.map((state) => state.toLowerCase().trim()))
    const types = new Set(request.typesFilter.map((type) => type.toLowerCase()))
    const answers = await Promise.all(
      this.#runtime.indexes.map((index) =>
        this.#runtime.submit<readonly ListedGroup[] | ErrorCode>(
          index,
          (replyTo) => ({ kind: 'list', replyTo, states, types }),
          // What this broker stopped serving meanwhile, another one lists.
          (code) => (code === ErrorCode.NOT_COORDINATOR ? [] : code),
          context.connection.signal,
        ),
      ),
    )
    const groups: ListedGroup[] = []
    for (const answer of answers) {
      if (typeof answer === 'number') return { throttleTimeMs: 0, errorCode: answer, groups: [] }
      groups.push(...answer)
    }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, groups }
  }

  #offsets(context: GroupRequestContext): OffsetRequestContext {
    return {
      sender: senderOf(context),
      topics: this.#options.topics,
      submit: (groupId, event, refusal) => this.#submit(context, groupId, event, refusal),
    }
  }

  #submit<Response>(
    { connection }: GroupRequestContext,
    groupId: string,
    event: (replyTo: ReplyTo<Response>) => GroupEvent,
    refusal: (code: ErrorCode) => Response,
  ): Promise<Response> {
    const { topic } = this.#options
    const partitions = topic.partitionCount()
    if (partitions === null || !topic.serves()) return Promise.resolve(refusal(ErrorCode.NOT_COORDINATOR))
    return this.#runtime.submit(javaHashPartition(groupId, partitions), event, refusal, connection.signal)
  }
}

function senderOf({ apiVersion, clientId, connection }: GroupRequestContext): Sender {
  return {
    apiVersion,
    clientId: clientId ?? '',
    // A client of IPv4 on a socket of both families; Java writes the host before the slash, which is never looked up.
    clientHost: `/${connection.remoteAddress.replace(/^::ffff:/, '')}`,
    connectionId: connection.id,
  }
}
