// The group coordinator's plain numbers, out of the broker's settings.

import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { assignorNamed } from '../coordinators/groups/assignors/assignors.ts'
import { type GroupSettings, groupSettingsDefault } from '../coordinators/groups/group-settings.ts'

import { codecById } from '../records/codec.ts'

const MINUTE_MS = 60_000

export function groupSettingsOf(settings: BrokerSettings, removeMembersOnDisconnect: boolean): GroupSettings {
  return {
    ...groupSettingsDefault,
    minSessionTimeoutMs: settings.groupMinSessionTimeoutMs,
    maxSessionTimeoutMs: settings.groupMaxSessionTimeoutMs,
    maxSize: settings.groupMaxSize,
    initialRebalanceDelayMs: settings.groupInitialRebalanceDelayMs,
    offsetMetadataMaxBytes: settings.offsetMetadataMaxBytes,
    offsetsRetentionMs: settings.offsetsRetentionMinutes * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: settings.offsetsRetentionCheckIntervalMs,
    offsetsCommitTimeoutMs: settings.offsetsCommitTimeoutMs,
    offsetsLoadBufferBytes: settings.offsetsLoadBufferSize,
    offsetsCompression: codecById[settings.offsetsTopicCompressionCodec]!,
    consumerMaxSize: settings.groupConsumerMaxSize,
    consumerAssignors: settings.groupConsumerAssignors.flatMap((name) => assignorNamed(name) ?? []),
    consumerMigrationPolicy: settings.groupConsumerMigrationPolicy,
    consumerRegexRefreshIntervalMs: settings.groupConsumerRegexRefreshIntervalMs,
    removeMembersOnDisconnect,
  }
}
