// What can happen to the groups of one __consumer_offsets partition, and what may follow.

import type { DeleteGroupsResponse } from '../../protocol/apis/delete-groups.ts'
import type { DescribeGroupsResponse } from '../../protocol/apis/describe-groups.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/apis/heartbeat.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/apis/join-group.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/apis/leave-group.ts'
import type { ListGroupsResponse } from '../../protocol/apis/list-groups.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/apis/offset-commit.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/apis/offset-delete.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/apis/offset-fetch.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/apis/sync-group.ts'
import type { ErrorCode } from '../../protocol/error-code.ts'
import type { Effect, ReplyTo } from '../effect.ts'
import type { ConsumerDescribeEvent, ConsumerHeartbeatEvent, ConsumerTimerEvent } from './consumer/heartbeat-event.ts'
import type { GroupRecord } from './group-record.ts'
import type { GroupNote } from './history/group-note.ts'

/** Who sent a request, as far as a group may know. */
export interface Sender {
  readonly apiVersion: number
  /** Empty when the client has no name. */
  readonly clientId: string
  /** As Kafka shows it: `/127.0.0.1`. */
  readonly clientHost: string
  readonly connectionId: number
}

export type ListedGroup = ListGroupsResponse['groups'][number]
export type DescribedGroup = DescribeGroupsResponse['groups'][number]
export type LeavingMember = LeaveGroupRequest['members'][number]
export type CommittedTopic = OffsetCommitRequest['topics'][number]
export type FetchedGroup = OffsetFetchRequest['groups'][number]
export type FetchedGroupOffsets = OffsetFetchResponse['groups'][number]

export interface JoinEvent {
  readonly kind: 'join'
  readonly groupId: string
  readonly replyTo: ReplyTo<JoinGroupResponse>
  readonly sender: Sender
  readonly request: JoinGroupRequest
  /** The member's id should it need one. */
  readonly newMemberId: string
}

export interface SyncEvent {
  readonly kind: 'sync'
  readonly groupId: string
  readonly replyTo: ReplyTo<SyncGroupResponse>
  readonly sender: Sender
  readonly request: SyncGroupRequest
}

export interface HeartbeatEvent {
  readonly kind: 'heartbeat'
  readonly groupId: string
  readonly replyTo: ReplyTo<HeartbeatResponse>
  readonly sender: Sender
  readonly request: HeartbeatRequest
}

export interface LeaveEvent {
  readonly kind: 'leave'
  readonly groupId: string
  readonly replyTo: ReplyTo<LeaveGroupResponse>
  /** Of every version: those before 3 name one member. */
  readonly members: readonly LeavingMember[]
}

export interface CommitEvent {
  readonly kind: 'commitOffsets'
  readonly groupId: string
  readonly replyTo: ReplyTo<OffsetCommitResponse>
  readonly sender: Sender
  /** Every topic has its name, and exists. */
  readonly request: OffsetCommitRequest
}

export interface FetchEvent {
  readonly kind: 'fetchOffsets'
  readonly groupId: string
  readonly replyTo: ReplyTo<FetchedGroupOffsets>
  /** Who asks, if it says so (OffsetFetch 9); the epoch is -1 when it does not. */
  readonly memberId: string | null
  readonly memberEpoch: number
  /** Topics have names; null asks for all that the group has committed. */
  readonly topics: FetchedGroup['topics']
  /** KIP-447: say UNSTABLE_OFFSET_COMMIT where a transaction is about to change the offset. */
  readonly requireStable: boolean
}

export interface DeleteOffsetsEvent {
  readonly kind: 'deleteOffsets'
  readonly groupId: string
  readonly replyTo: ReplyTo<OffsetDeleteResponse>
  /** Partitions that exist. */
  readonly topics: OffsetDeleteRequest['topics']
}

export interface DeleteGroupsEvent {
  readonly kind: 'deleteGroups'
  /** Each once. */
  readonly groupIds: readonly string[]
  readonly replyTo: ReplyTo<DeleteGroupsResponse['results']>
}

export interface DeletedTopic {
  readonly name: string
  /** base64url. */
  readonly id: string
}

export interface TopicsChangedEvent {
  readonly kind: 'topicsChanged'
  /** By name. */
  readonly topics: readonly string[]
  /** Some of them are new. */
  readonly anyCreated: boolean
}

export interface DescribeEvent {
  readonly kind: 'describe'
  readonly groupId: string
  readonly replyTo: ReplyTo<DescribedGroup>
  readonly apiVersion: number
}

export interface ListEvent {
  readonly kind: 'list'
  readonly replyTo: ReplyTo<readonly ListedGroup[] | ErrorCode>
  /** In lower case; empty lets all through. */
  readonly states: ReadonlySet<string>
  readonly types: ReadonlySet<string>
}

/** What a group asked to be told later. */
export type GroupTimerEvent =
  | { readonly kind: 'sessionExpired'; readonly groupId: string; readonly memberId: string }
  | {
      readonly kind: 'initialDelayOver'
      readonly groupId: string
      readonly delayMs: number
      /** By how much the delay may still be extended. */
      readonly remainingMs: number
    }
  | { readonly kind: 'joinPhaseOver'; readonly groupId: string }
  | { readonly kind: 'syncOverdue'; readonly groupId: string; readonly generation: number }

export type GroupEvent =
  | ConsumerHeartbeatEvent
  | ConsumerDescribeEvent
  | ConsumerTimerEvent
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  | CommitEvent
  | FetchEvent
  | DeleteOffsetsEvent
  | DeleteGroupsEvent
  | DescribeEvent
  | ListEvent
  | GroupTimerEvent
  | { readonly kind: 'connectionClosed'; readonly connectionId: number }
  | { readonly kind: 'topicsDeleted'; readonly topics: readonly DeletedTopic[] }
  /** Created, deleted, grown, or their replicas moved: what groups see of them is new. */
  | TopicsChangedEvent
  | { readonly kind: 'retentionCheck' }

export type GroupEffect = Effect<GroupEvent, GroupRecord, GroupNote>
