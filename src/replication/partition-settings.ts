// What a partition goes by: the part of a topic's configuration that matters where its records are written.

import type { TopicImage } from '../cluster/image.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { logConfigFor, topicSettings } from '../cluster/settings/topic-config.ts'
import type { BatchRules } from '../records/validate-batch.ts'
import type { LogConfig } from '../storage/partition-log.ts'

export interface PartitionSettings {
  readonly log: LogConfig
  readonly minInsyncReplicas: number
  /** For `validateBatch`; the topic's part of it stays, `now` and `zstdAllowed` are set for each request. */
  readonly batchRules: BatchRules & { now: number; zstdAllowed: boolean }
}

/** A topic's own configs over the broker's defaults. */
export function partitionSettings(topic: TopicImage, broker: BrokerSettings): PartitionSettings {
  const settings = topicSettings(topic, broker)
  return {
    log: logConfigFor(topic, broker),
    minInsyncReplicas: settings.minInsyncReplicas,
    batchRules: {
      maxMessageBytes: settings.maxMessageBytes,
      compressionType: settings.compressionType,
      // What could have been sent without compression.
      maxDecompressedBytes: broker.socketRequestMaxBytes,
      compacted: settings.compacted,
      timestampType: settings.messageTimestampType,
      timestampBeforeMaxMs: limitOf(settings.messageTimestampBeforeMaxMs),
      timestampAfterMaxMs: limitOf(settings.messageTimestampAfterMaxMs),
      now: 0,
      zstdAllowed: false,
    },
  }
}

/** Kafka's "no limit" is the greatest long. */
function limitOf(ms: number): number {
  return ms >= Number.MAX_SAFE_INTEGER ? Infinity : ms
}
