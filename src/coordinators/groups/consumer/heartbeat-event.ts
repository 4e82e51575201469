// What can happen to a KIP-848 group.

import type { ConsumerGroupDescribeResponse } from '../../../protocol/apis/consumer-group-describe.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/apis/consumer-group-heartbeat.ts'
import type { Millis } from '../../../io/clock.ts'
import type { ReplyTo } from '../../effect.ts'
import type { HeartbeatEvent, JoinEvent, LeaveEvent, Sender, SyncEvent, TopicsChangedEvent } from '../group-event.ts'

export type DescribedConsumerGroup = ConsumerGroupDescribeResponse['groups'][number]

/** Joining, leaving and rebalancing are heartbeats too. The request has been checked as far as that takes no group. */
export interface ConsumerHeartbeatEvent {
  readonly kind: 'consumerHeartbeat'
  readonly groupId: string
  readonly replyTo: ReplyTo<ConsumerGroupHeartbeatResponse>
  readonly sender: Sender
  readonly request: ConsumerGroupHeartbeatRequest
  /** The member's id should it have none: clients of version 0 get theirs from here. */
  readonly newMemberId: string
}

export interface ConsumerDescribeEvent {
  readonly kind: 'consumerDescribe'
  readonly groupId: string
  readonly replyTo: ReplyTo<DescribedConsumerGroup>
}

/** A classic member was told to rejoin, or has joined and is to sync (online migration). */
export interface ClassicTimerEvent {
  readonly kind: 'classicOverdue'
  readonly groupId: string
  readonly memberId: string
  readonly phase: 'join' | 'sync'
  readonly afterMs: Millis
}

/** What a group asked to be told later. */
export type ConsumerTimerEvent =
  | ClassicTimerEvent
  | {
      readonly kind: 'consumerSessionExpired'
      readonly groupId: string
      readonly memberId: string
      readonly silentMs: Millis
    }
  | {
      readonly kind: 'revocationOverdue'
      readonly groupId: string
      readonly memberId: string
      /** It should have left this epoch by now. */
      readonly memberEpoch: number
      readonly afterMs: Millis
    }
  /** Regular expressions are looked up apart from the heartbeat that asks for it, so that several share one lookup. */
  | { readonly kind: 'regexRefresh'; readonly groupId: string }

export type ConsumerGroupEvent =
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  | ConsumerHeartbeatEvent
  | ConsumerTimerEvent
  | { readonly kind: 'connectionClosed'; readonly connectionId: number }
  | TopicsChangedEvent
