// The broker settings this program acts on. The left side is the field of `BrokerSettings`, the right side says Kafka's name,
// type, default and bounds (KafkaConfig 4.3). Where a default is our own, a comment says why.

import {
  boolean,
  diskAmount,
  double,
  int,
  list,
  long,
  noLimit,
  oneOf,
  optional,
  short,
  string,
} from './config-definition.ts'
import { consumerGroupDefinitions } from './consumer-group-definitions.ts'
import { etcdDefinitions } from './etcd-definitions.ts'

/** `compression.type` of topic and broker; `producer` keeps what the producer chose. */
export const compressionTypes = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const
export const timestampTypes = ['CreateTime', 'LogAppendTime'] as const
/** Our own. `fsync`: acknowledged means kept, as acks=all promises. `page-cache`: written is enough, as in Kafka. */
export const flushPolicies = ['fsync', 'page-cache'] as const
/** Our own. What a topic does when the disk budget is used up: lose its oldest records, or refuse new ones. */
export const diskBudgetPolicies = ['delete', 'refuse'] as const
export const cleanupPolicies = ['compact', 'delete'] as const

/** Kafka's own; classes of others cannot be loaded here (KIP-392). */
export const replicaSelectors = [
  'org.apache.kafka.common.replica.LeaderSelector',
  'org.apache.kafka.common.replica.RackAwareReplicaSelector',
] as const

const maxInt = 2_147_483_647

export const brokerDefinitions = {
  // Who this broker is and where it listens.
  brokerId: int('node.id', 1, { atLeast: 0, documentation: 'Id of this broker in its cluster.' }),
  brokerRack: optional(string('broker.rack', '', { documentation: 'Rack or zone of this broker.' })),
  listenersText: list('listeners', 'PLAINTEXT://:9092', {
    documentation: 'Addresses to listen on: NAME://host:port, several divided by commas. An empty host means all.',
  }),
  advertisedListenersText: optional(
    list('advertised.listeners', '', {
      documentation: 'Addresses that clients are told to use. When absent: the address the client came by.',
    }),
  ),
  listenerSecurityProtocolMap: list(
    'listener.security.protocol.map',
    'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    { mayBeEmpty: true, documentation: 'The security protocol of each listener name.' },
  ),
  controllerListenerNames: list('controller.listener.names', '', {
    mayBeEmpty: true,
    documentation: 'Listeners for KRaft controllers. There are none here: these listeners are not opened.',
  }),
  interBrokerListenerName: optional(
    string('inter.broker.listener.name', '', {
      documentation: 'Listener by which brokers reach each other. When absent: the first of listeners.',
    }),
  ),
  // Kafka's default is /tmp/kafka-logs, which a restart of the machine may clear.
  logDir: string('log.dir', 'odradek-data', { documentation: 'Folder of the data, when log.dirs is not set.' }),
  logDirs: optional(list('log.dirs', '', { documentation: 'Folder of the data; exactly one.' })),

  // Topics.
  autoCreateTopicsEnable: boolean('auto.create.topics.enable', true, {
    documentation: 'Whether a metadata request may create the topics it asks for.',
  }),
  deleteTopicEnable: boolean('delete.topic.enable', true, { documentation: 'Whether topics may be deleted.' }),
  numPartitions: int('num.partitions', 1, { atLeast: 1, documentation: 'Partitions of a topic that names no number.' }),
  defaultReplicationFactor: int('default.replication.factor', 1, {
    atLeast: 1,
    atMost: 32_767,
    documentation: 'Replicas of a topic that names no number.',
  }),
  minInsyncReplicas: int('min.insync.replicas', 1, {
    atLeast: 1,
    documentation: 'In-sync replicas without which a produce with acks=all is refused.',
  }),

  // The cluster.
  brokerSessionTimeoutMs: int('broker.session.timeout.ms', 9000, {
    atLeast: 2000,
    documentation: 'How long the cluster waits for a broker that says nothing before others lead in its place.',
  }),
  controlledShutdownEnable: boolean('controlled.shutdown.enable', true, {
    documentation: 'Whether a broker that stops first hands its leaderships to others.',
  }),
  autoLeaderRebalanceEnable: boolean('auto.leader.rebalance.enable', true, {
    documentation: 'Whether leaderships go back to the preferred leaders, the first of the replicas, by themselves.',
  }),
  leaderImbalanceCheckIntervalSeconds: long('leader.imbalance.check.interval.seconds', 300, {
    atLeast: 1,
    documentation: 'How often it is looked for leaderships to go back.',
  }),
  // Only in Kafka before 4.0; later ones hand back whatever is not with its preferred leader.
  leaderImbalancePerBrokerPercentage: int('leader.imbalance.per.broker.percentage', 10, {
    atLeast: 0,
    atMost: 100,
    documentation: 'Leaderships go back to a broker when more than this part of those it should have is elsewhere.',
  }),

  ...etcdDefinitions,

  // Replicas.
  replicaLagTimeMaxMs: long('replica.lag.time.max.ms', 30_000, {
    documentation: 'A follower that has not caught up with its leader for so long leaves the ISR.',
  }),
  replicaFetchMaxBytes: int('replica.fetch.max.bytes', 1_048_576, {
    atLeast: 0,
    documentation: 'Most bytes of one partition that a follower asks for at a time; a larger batch comes whole.',
  }),
  replicaFetchMinBytes: int('replica.fetch.min.bytes', 1, {
    documentation: 'Fewest bytes for which a leader answers a follower before replica.fetch.wait.max.ms is over.',
  }),
  replicaFetchWaitMaxMs: int('replica.fetch.wait.max.ms', 500, {
    documentation: 'How long a leader lets a follower wait for records; less than replica.lag.time.max.ms.',
  }),
  replicaFetchResponseMaxBytes: int('replica.fetch.response.max.bytes', 10_485_760, {
    atLeast: 0,
    documentation: 'Most bytes of records that a follower asks one leader for at a time.',
  }),
  replicaFetchBackoffMs: int('replica.fetch.backoff.ms', 1000, {
    atLeast: 0,
    documentation: 'How long a follower waits after an error before it asks for the partition again.',
  }),
  replicaSocketTimeoutMs: int('replica.socket.timeout.ms', 30_000, {
    documentation: 'How long a follower waits for an answer of its leader; not less than replica.fetch.wait.max.ms.',
  }),
  replicaSelectorClass: optional(
    oneOf('replica.selector.class', replicaSelectors[0], replicaSelectors, {
      documentation:
        'Which replica consumers are told to read from: RackAwareReplicaSelector, one in their rack; LeaderSelector or nothing, the leader.',
    }),
  ),

  // Log.
  logSegmentBytes: int('log.segment.bytes', 1_073_741_824, {
    atLeast: 1_048_576,
    documentation: 'Size at which a new segment file is begun.',
  }),
  logRollMs: optional(long('log.roll.ms', 0, { documentation: 'Age at which a new segment is begun.' })),
  logRollHours: int('log.roll.hours', 168, { atLeast: 1, documentation: 'As log.roll.ms, in hours.' }),
  logRollJitterMs: optional(
    long('log.roll.jitter.ms', 0, { documentation: 'Up to this much earlier a segment may be rolled.' }),
  ),
  logRollJitterHours: int('log.roll.jitter.hours', 0, {
    atLeast: 0,
    documentation: 'As log.roll.jitter.ms, in hours.',
  }),
  logIndexSizeMaxBytes: int('log.index.size.max.bytes', 10_485_760, {
    atLeast: 4,
    documentation: 'Size of a segment index at which a new segment is begun.',
  }),
  logIndexIntervalBytes: int('log.index.interval.bytes', 4096, {
    atLeast: 0,
    documentation: 'Bytes of log between two entries of the offset index.',
  }),
  logMessageTimestampType: oneOf('log.message.timestamp.type', 'CreateTime', timestampTypes, {
    documentation: 'Whether records keep the time of the producer or get the time of the append.',
  }),
  logMessageTimestampBeforeMaxMs: long('log.message.timestamp.before.max.ms', noLimit, {
    atLeast: 0,
    documentation: 'How far a record may lie in the past.',
  }),
  logMessageTimestampAfterMaxMs: long('log.message.timestamp.after.max.ms', 3_600_000, {
    atLeast: 0,
    documentation: 'How far a record may lie in the future.',
  }),
  logFlushPolicy: oneOf('log.flush.policy', 'fsync', flushPolicies, {
    documentation: 'fsync: a record is on disk before acks=all is answered. page-cache: it is written, as in Kafka.',
  }),
  messageMaxBytes: int('message.max.bytes', 1_048_588, {
    atLeast: 0,
    documentation: 'Largest record batch that is accepted.',
  }),
  compressionType: oneOf('compression.type', 'producer', compressionTypes, {
    documentation: 'Codec in which batches are kept; producer: as they came.',
  }),
  producerIdExpirationMs: int('producer.id.expiration.ms', 86_400_000, {
    atLeast: 1,
    documentation: 'How long an idle idempotent producer is remembered.',
  }),

  // What is done to logs in the background.
  logRetentionCheckIntervalMs: long('log.retention.check.interval.ms', 300_000, {
    atLeast: 1,
    documentation: 'How often segments are looked for that retention may delete.',
  }),
  logInitialTaskDelayMs: long('log.initial.task.delay.ms', 30_000, {
    atLeast: 0,
    documentation: 'How long after the start the first look for such segments comes.',
  }),
  logCleanerEnable: boolean('log.cleaner.enable', true, {
    documentation: 'Whether partitions with cleanup.policy=compact are compacted.',
  }),
  logCleanerDedupeBufferSize: long('log.cleaner.dedupe.buffer.size', 134_217_728, {
    atLeast: 1024,
    documentation: 'Most memory for the keys of one cleaning, in bytes.',
  }),
  logCleanerIoBufferSize: int('log.cleaner.io.buffer.size', 524_288, {
    atLeast: 1024,
    documentation: 'Bytes that a cleaning reads at once.',
  }),
  logCleanerIoBufferLoadFactor: double('log.cleaner.io.buffer.load.factor', 0.9, {
    atLeast: 0.1,
    atMost: 0.99,
    documentation: 'How full the key map of a cleaning may become.',
  }),
  logCleanerIoMaxBytesPerSecond: double('log.cleaner.io.max.bytes.per.second', 1.7976931348623157e308, {
    atLeast: 1,
    documentation: 'Bytes a second that cleanings may read and write together.',
  }),
  logCleanerBackoffMs: long('log.cleaner.backoff.ms', 15_000, {
    atLeast: 0,
    documentation: 'How often partitions to clean are looked for when there was none.',
  }),

  // The disk. Kafka has no such settings (KIP-61 asked for them).
  diskBudget: optional(
    diskAmount('disk.budget', {
      documentation:
        'Most that all logs may take: bytes, as 200GiB, or a part of the volume, as 80%. When it is used up the oldest segments of all topics go first, by disk.budget.weight; topics with disk.budget.policy=refuse keep theirs. When absent: no bound.',
    }),
  ),
  diskFreeReserve: optional(
    diskAmount('disk.free.reserve', {
      documentation:
        'Room that is left free on the volume, whoever fills it: bytes or a part of the volume. What is missing counts as if disk.budget were smaller. When absent: none.',
    }),
  ),
  logScrubMaxBytesPerSecond: double('log.scrub.io.max.bytes.per.second', 2_097_152, {
    atLeast: 0,
    documentation: 'Bytes a second at which logs are read in the background to find damage; 0: not at all.',
  }),
  logScrubIntervalMs: long('log.scrub.interval.ms', 604_800_000, {
    atLeast: 1,
    documentation: 'How long after a whole round of reading the next one begins.',
  }),

  // Connections and requests.
  socketRequestMaxBytes: int('socket.request.max.bytes', 104_857_600, {
    atLeast: 1,
    documentation: 'Largest request; a longer one closes the connection.',
  }),
  connectionsMaxIdleMs: long('connections.max.idle.ms', 600_000, {
    documentation: 'A connection idle for longer is closed; negative: never.',
  }),
  // Kafka's default is -1, no bound: nothing here is buffered without one.
  queuedMaxRequestBytes: long('queued.max.request.bytes', 268_435_456, {
    atLeast: -1,
    documentation: 'Bytes of requests that all connections together may hold; -1: no bound.',
  }),
  maxIncrementalFetchSessionCacheSlots: int('max.incremental.fetch.session.cache.slots', 1000, {
    atLeast: 0,
    documentation: 'Fetch sessions that are kept (KIP-227).',
  }),
  fetchMaxBytes: int('fetch.max.bytes', 57_671_680, {
    atLeast: 1024,
    documentation: 'Most bytes of records in one fetch response.',
  }),
  maxRequestPartitionSizeLimit: int('max.request.partition.size.limit', 2000, {
    atLeast: 1,
    documentation: 'Most partitions in one DescribeTopicPartitions response.',
  }),

  // Groups and their offsets.
  offsetsTopicNumPartitions: int('offsets.topic.num.partitions', 50, {
    atLeast: 1,
    documentation: 'Partitions of __consumer_offsets when it is created.',
  }),
  offsetsTopicReplicationFactor: short('offsets.topic.replication.factor', 3, {
    atLeast: 1,
    documentation: 'Replicas of __consumer_offsets; fewer when fewer brokers live at its creation.',
  }),
  offsetsTopicSegmentBytes: int('offsets.topic.segment.bytes', 104_857_600, {
    atLeast: 1,
    documentation: 'Segment size of __consumer_offsets.',
  }),
  offsetsTopicCompressionCodec: int('offsets.topic.compression.codec', 0, {
    atLeast: 0,
    atMost: 4,
    documentation: 'Compression of __consumer_offsets: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
  }),
  offsetsLoadBufferSize: int('offsets.load.buffer.size', 5_242_880, {
    atLeast: 1,
    documentation: 'Bytes of __consumer_offsets read at a time when groups are loaded.',
  }),
  offsetMetadataMaxBytes: int('offset.metadata.max.bytes', 4096, {
    documentation: 'Most bytes of metadata with a committed offset.',
  }),
  offsetsCommitTimeoutMs: int('offsets.commit.timeout.ms', 5000, {
    atLeast: 1,
    documentation: 'How long an offset commit waits until it is replicated.',
  }),
  offsetsRetentionMinutes: int('offsets.retention.minutes', 10_080, {
    atLeast: 1,
    documentation: 'How long offsets are kept after their group is empty or has left the topic.',
  }),
  offsetsRetentionCheckIntervalMs: long('offsets.retention.check.interval.ms', 600_000, {
    atLeast: 1,
    documentation: 'How often expired offsets are looked for.',
  }),
  groupInitialRebalanceDelayMs: int('group.initial.rebalance.delay.ms', 3000, {
    documentation: 'How long the first rebalance of an empty group waits for more members.',
  }),
  groupMinSessionTimeoutMs: int('group.min.session.timeout.ms', 6000, {
    documentation: 'Shortest session timeout that a member may ask for.',
  }),
  groupMaxSessionTimeoutMs: int('group.max.session.timeout.ms', 1_800_000, {
    documentation: 'Longest session timeout that a member may ask for.',
  }),
  groupMaxSize: int('group.max.size', maxInt, { atLeast: 1, documentation: 'Most members of a group.' }),
  ...consumerGroupDefinitions,
}

/**
 * Settings that are nothing but the defaults of topic configs: checked and handed to topics, so that a taken-over server.properties
 * means what it meant.
 */
export const topicDefaultDefinitions = [
  list('log.cleanup.policy', 'delete', { items: cleanupPolicies, documentation: 'Default of cleanup.policy.' }),
  int('compression.gzip.level', -1, { atLeast: -1, atMost: 9, except: 0, honoured: false }),
  int('compression.lz4.level', 9, { atLeast: 1, atMost: 17, honoured: false }),
  int('compression.zstd.level', 3, { atLeast: -131_072, atMost: 22, honoured: false }),
  long('log.cleaner.delete.retention.ms', 86_400_000, { atLeast: 0, documentation: 'Default of delete.retention.ms.' }),
  long('log.segment.delete.delay.ms', 60_000, { atLeast: 0, documentation: 'Default of file.delete.delay.ms.' }),
  long('log.flush.interval.messages', noLimit, { atLeast: 1, honoured: false }),
  optional(long('log.flush.interval.ms', 0, { honoured: false })),
  long('log.flush.scheduler.interval.ms', noLimit, { honoured: false }),
  long('log.local.retention.bytes', -2, { atLeast: -2, honoured: false }),
  long('log.local.retention.ms', -2, { atLeast: -2, honoured: false }),
  long('log.cleaner.max.compaction.lag.ms', noLimit, {
    atLeast: 1,
    documentation: 'Default of max.compaction.lag.ms.',
  }),
  long('log.cleaner.min.compaction.lag.ms', 0, { atLeast: 0, documentation: 'Default of min.compaction.lag.ms.' }),
  double('log.cleaner.min.cleanable.ratio', 0.5, {
    atLeast: 0,
    atMost: 1,
    documentation: 'Default of min.cleanable.dirty.ratio.',
  }),
  boolean('log.preallocate', false, { honoured: false }),
  long('log.retention.bytes', -1, { documentation: 'Default of retention.bytes.' }),
  optional(long('log.retention.ms', 0, { documentation: 'Default of retention.ms.' })),
  optional(int('log.retention.minutes', 0, { documentation: 'Default of retention.ms, in minutes.' })),
  int('log.retention.hours', 168, { documentation: 'Default of retention.ms, in hours.' }),
  boolean('unclean.leader.election.enable', false, { documentation: 'Default of the topic config of this name.' }),
]
