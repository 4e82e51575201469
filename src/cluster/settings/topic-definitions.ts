// The configs of a topic (LogConfig 4.3), each with the broker settings that give its default, first wins (KIP-226).
// `honoured` says whether this broker acts on it; the others are checked, kept and shown again.

import {
  cleanupPolicies,
  compressionTypes,
  diskBudgetPolicies,
  flushPolicies,
  timestampTypes,
} from './broker-definitions.ts'
import {
  boolean,
  type ConfigDefinition,
  double,
  int,
  list,
  long,
  noLimit,
  oneOf,
  optional,
} from './config-definition.ts'

/** A broker setting that gives a topic config its default; its value is multiplied by `factor`, for other units. */
export interface BrokerSynonym {
  readonly name: string
  readonly factor: number
}

export interface TopicDefinition<T = unknown> extends ConfigDefinition<T> {
  readonly synonyms: readonly BrokerSynonym[]
  /** Never listed: for tests. */
  readonly internal: boolean
}

const hourMs = 3_600_000

function topic<T>(
  definition: ConfigDefinition<T>,
  ...synonyms: readonly (string | readonly [name: string, factor: number])[]
): TopicDefinition<T> {
  return {
    ...definition,
    synonyms: synonyms.map((synonym) =>
      typeof synonym === 'string' ? { name: synonym, factor: 1 } : { name: synonym[0], factor: synonym[1] },
    ),
    internal: definition.name.startsWith('internal.'),
  }
}

const throttledReplicas = {
  mayBeEmpty: true,
  duplicates: 'kept' as const,
  documentation:
    'Replicas that are copied within the rate their broker has for it, while they are not in sync: *, or partition:broker pairs.',
  check: (item: string) =>
    item === '*' || /^\d+:\d+$/.test(item) ? null : `'${item}' is neither * nor of the form partition:broker`,
}

/** The ones this broker acts on; the left side is the field of `TopicSettings`. */
export const honouredTopicDefinitions = {
  segmentBytes: topic(
    int('segment.bytes', 1_073_741_824, {
      atLeast: 1_048_576,
      documentation: 'Size at which a new segment file is begun. Old records go by whole segments.',
    }),
    'log.segment.bytes',
  ),
  internalSegmentBytes: topic(
    optional(int('internal.segment.bytes', 0, { atLeast: 1, documentation: 'As segment.bytes, without its bound.' })),
  ),
  segmentMs: topic(
    long('segment.ms', 604_800_000, {
      atLeast: 1,
      documentation: 'Age at which a new segment file is begun although the old one is not full.',
    }),
    'log.roll.ms',
    ['log.roll.hours', hourMs],
  ),
  segmentJitterMs: topic(
    long('segment.jitter.ms', 0, {
      atLeast: 0,
      documentation: 'Up to this much earlier a segment is rolled, so that not all are at once.',
    }),
    'log.roll.jitter.ms',
    ['log.roll.jitter.hours', hourMs],
  ),
  segmentIndexBytes: topic(
    int('segment.index.bytes', 10_485_760, {
      atLeast: 4,
      documentation: 'Size of a segment index at which a new segment is begun.',
    }),
    'log.index.size.max.bytes',
  ),
  indexIntervalBytes: topic(
    int('index.interval.bytes', 4096, {
      atLeast: 0,
      documentation: 'Bytes of log between two entries of the offset index.',
    }),
    'log.index.interval.bytes',
  ),
  flushPolicy: topic(
    oneOf('flush.policy', 'fsync', flushPolicies, {
      documentation: 'fsync: a record is on disk before acks=all is answered. page-cache: it is written, as in Kafka.',
    }),
    'log.flush.policy',
  ),
  maxMessageBytes: topic(
    int('max.message.bytes', 1_048_588, { atLeast: 0, documentation: 'Largest record batch that is accepted.' }),
    'message.max.bytes',
  ),
  compressionType: topic(
    oneOf('compression.type', 'producer', compressionTypes, {
      documentation: 'Codec in which batches are kept; producer: as they came.',
    }),
    'compression.type',
  ),
  messageTimestampType: topic(
    oneOf('message.timestamp.type', 'CreateTime', timestampTypes, {
      documentation: 'Whether records keep the time of the producer or get the time of the append.',
    }),
    'log.message.timestamp.type',
  ),
  messageTimestampBeforeMaxMs: topic(
    long('message.timestamp.before.max.ms', noLimit, {
      atLeast: 0,
      documentation: 'How far the time of a record may lie in the past.',
    }),
    'log.message.timestamp.before.max.ms',
  ),
  messageTimestampAfterMaxMs: topic(
    long('message.timestamp.after.max.ms', hourMs, {
      atLeast: 0,
      documentation: 'How far the time of a record may lie in the future.',
    }),
    'log.message.timestamp.after.max.ms',
  ),
  minInsyncReplicas: topic(
    int('min.insync.replicas', 1, {
      atLeast: 1,
      documentation: 'In-sync replicas without which a produce with acks=all is refused.',
    }),
    'min.insync.replicas',
  ),
  uncleanLeaderElectionEnable: topic(
    boolean('unclean.leader.election.enable', false, {
      documentation:
        'Whether a replica that is not in sync may lead when no other lives: records that were acknowledged are lost.',
    }),
    'unclean.leader.election.enable',
  ),
  cleanupPolicy: topic(
    list('cleanup.policy', 'delete', {
      items: cleanupPolicies,
      mayBeEmpty: true,
      duplicates: 'dropped',
      documentation:
        'delete: old records go by age and size. compact: the last record of each key stays; records need keys. Empty: all records stay.',
    }),
    'log.cleanup.policy',
  ),
  retentionMs: topic(
    long('retention.ms', 604_800_000, {
      atLeast: -1,
      documentation: 'Age at which records are deleted, by whole segments, under cleanup.policy=delete; -1: never.',
    }),
    'log.retention.ms',
    ['log.retention.minutes', 60_000],
    ['log.retention.hours', hourMs],
  ),
  retentionBytes: topic(
    long('retention.bytes', -1, {
      documentation:
        'Size of a partition beyond which its oldest segments are deleted, under cleanup.policy=delete; -1: none.',
    }),
    'log.retention.bytes',
  ),
  fileDeleteDelayMs: topic(
    long('file.delete.delay.ms', 60_000, {
      atLeast: 0,
      documentation: 'How long the files of deleted segments stay.',
    }),
    'log.segment.delete.delay.ms',
  ),
  minCleanableDirtyRatio: topic(
    double('min.cleanable.dirty.ratio', 0.5, {
      atLeast: 0,
      atMost: 1,
      documentation: 'A compacted partition is cleaned when more than this part of its bytes has not been cleaned yet.',
    }),
    'log.cleaner.min.cleanable.ratio',
  ),
  minCompactionLagMs: topic(
    long('min.compaction.lag.ms', 0, { atLeast: 0, documentation: 'Age before which a record is not compacted.' }),
    'log.cleaner.min.compaction.lag.ms',
  ),
  maxCompactionLagMs: topic(
    long('max.compaction.lag.ms', noLimit, {
      atLeast: 1,
      documentation: 'Age at which a record is compacted whatever min.cleanable.dirty.ratio says.',
    }),
    'log.cleaner.max.compaction.lag.ms',
  ),
  deleteRetentionMs: topic(
    long('delete.retention.ms', 86_400_000, {
      atLeast: 0,
      documentation: 'How long tombstones stay in a compacted partition.',
    }),
    'log.cleaner.delete.retention.ms',
  ),
  diskBudgetPolicy: topic(
    oneOf('disk.budget.policy', 'delete', diskBudgetPolicies, {
      documentation:
        'When the disk budget is used up. delete: the oldest records go. refuse: nothing goes, producers are refused, as always with cleanup.policy=compact alone.',
    }),
  ),
  diskBudgetWeight: topic(
    double('disk.budget.weight', 1, {
      atLeast: 0.001,
      atMost: 1000,
      documentation: 'Under the disk budget, records of a topic with weight 2 stay twice as long as those of weight 1.',
    }),
  ),
  leaderThrottledReplicas: topic(list('leader.replication.throttled.replicas', '', throttledReplicas)),
  followerThrottledReplicas: topic(list('follower.replication.throttled.replicas', '', throttledReplicas)),
}

const passive = { honoured: false }

const passiveTopicDefinitions: readonly TopicDefinition[] = [
  topic(int('compression.gzip.level', -1, { atLeast: -1, atMost: 9, except: 0, ...passive }), 'compression.gzip.level'),
  topic(int('compression.lz4.level', 9, { atLeast: 1, atMost: 17, ...passive }), 'compression.lz4.level'),
  topic(int('compression.zstd.level', 3, { atLeast: -131_072, atMost: 22, ...passive }), 'compression.zstd.level'),
  topic(long('flush.messages', noLimit, { atLeast: 1, ...passive }), 'log.flush.interval.messages'),
  topic(
    long('flush.ms', noLimit, { atLeast: 0, ...passive }),
    'log.flush.interval.ms',
    'log.flush.scheduler.interval.ms',
  ),
  topic(long('local.retention.bytes', -2, { atLeast: -2, ...passive }), 'log.local.retention.bytes'),
  topic(long('local.retention.ms', -2, { atLeast: -2, ...passive }), 'log.local.retention.ms'),
  topic(boolean('preallocate', false, passive), 'log.preallocate'),
  topic(boolean('remote.log.copy.disable', false, passive)),
  topic(boolean('remote.log.delete.on.disable', false, passive)),
  topic(boolean('remote.storage.enable', false, passive)),
]

/** Every config a topic may have, in order of name. */
export const topicDefinitions: ReadonlyMap<string, TopicDefinition> = new Map(
  [...Object.values<TopicDefinition>(honouredTopicDefinitions), ...passiveTopicDefinitions]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((definition) => [definition.name, definition]),
)
