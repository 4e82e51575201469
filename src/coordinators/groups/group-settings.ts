// What the group coordinator goes by.

import type { Assignor } from './assignors/assignor.ts'
import { assignors } from './assignors/assignors.ts'
import type { Codec } from '../../records/codec.ts'

/** Plain numbers, in Kafka's units; the names are Kafka's broker configs where they have one. */
export interface GroupSettings {
  /** group.min.session.timeout.ms */
  readonly minSessionTimeoutMs: number
  /** group.max.session.timeout.ms */
  readonly maxSessionTimeoutMs: number
  /** group.max.size */
  readonly maxSize: number
  /** group.initial.rebalance.delay.ms: how long an empty group waits for more members. */
  readonly initialRebalanceDelayMs: number
  /** How long a member that has just been added may wait in JoinGroup before it counts as gone (Kafka: 5 minutes, fixed). */
  readonly newMemberJoinTimeoutMs: number
  /** offset.metadata.max.bytes: characters of a committed offset's metadata. */
  readonly offsetMetadataMaxBytes: number
  /** offsets.retention.minutes, in milliseconds. */
  readonly offsetsRetentionMs: number
  /** offsets.retention.check.interval.ms */
  readonly offsetsRetentionCheckIntervalMs: number
  /** offsets.commit.timeout.ms */
  readonly offsetsCommitTimeoutMs: number
  /** offsets.load.buffer.size */
  readonly offsetsLoadBufferBytes: number
  /** offsets.topic.compression.codec */
  readonly offsetsCompression: Codec
  /** group.consumer.max.size */
  readonly consumerMaxSize: number
  /** group.consumer.assignors: at least one; the first is for groups whose members name none. */
  readonly consumerAssignors: readonly Assignor[]
  /** group.consumer.migration.policy: whether classic groups with members turn into consumer groups (upgrade), and back. */
  readonly consumerMigrationPolicy: 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'
  /** group.consumer.regex.refresh.interval.ms */
  readonly consumerRegexRefreshIntervalMs: number
  /** For development and tests: a dynamic member is gone as soon as the connection it was last heard on closes. */
  readonly removeMembersOnDisconnect: boolean
}

/** Kafka's defaults. */
export const groupSettingsDefault: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 2_147_483_647,
  initialRebalanceDelayMs: 3_000,
  newMemberJoinTimeoutMs: 300_000,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsCommitTimeoutMs: 5_000,
  offsetsLoadBufferBytes: 5 * 1024 * 1024,
  offsetsCompression: 'none',
  consumerMaxSize: 2_147_483_647,
  consumerAssignors: assignors,
  consumerMigrationPolicy: 'bidirectional',
  consumerRegexRefreshIntervalMs: 600_000,
  removeMembersOnDisconnect: false,
}
