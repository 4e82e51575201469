// Topics that the broker keeps for itself (Kafka's Topic.isInternal). Clients may read them; only coordinators write them.

import type { BrokerSettings } from './settings/broker-settings.ts'

export const offsetsTopic = '__consumer_offsets'

const names: ReadonlySet<string> = new Set([offsetsTopic, '__transaction_state', '__share_group_state'])

export function isInternalTopic(name: string): boolean {
  return names.has(name)
}

export interface InternalTopicShape {
  readonly partitions: number
  /** Fewer when fewer brokers live. */
  readonly replicationFactor: number
  readonly configs: ReadonlyMap<string, string>
}

/** How an internal topic is made when it is first needed; null for one that this broker has no use for. */
export function internalTopicShape(name: string, settings: BrokerSettings): InternalTopicShape | null {
  if (name !== offsetsTopic) return null
  return {
    partitions: settings.offsetsTopicNumPartitions,
    replicationFactor: settings.offsetsTopicReplicationFactor,
    configs: new Map([
      ['cleanup.policy', 'compact'],
      ['compression.type', 'producer'],
      segmentBytes(settings.offsetsTopicSegmentBytes),
    ]),
  }
}

/** The broker's settings allow smaller segments here than a topic config does. */
function segmentBytes(bytes: number): [string, string] {
  return [bytes < 1_048_576 ? 'internal.segment.bytes' : 'segment.bytes', String(bytes)]
}
