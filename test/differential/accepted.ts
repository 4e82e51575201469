// The differences that are meant, each with its reason; docs/differences.md tells them to users.

import type { Json } from './normalize.ts'

/** Describes differences by what it states; what it leaves out may be anything. */
export interface Accepted {
  readonly step: RegExp
  readonly versions?: readonly [number, number]
  readonly path?: RegExp
  readonly kafka?: Json
  readonly odradek?: Json
  readonly why: string
}

export const accepted: readonly Accepted[] = [
  {
    step: /^produce /,
    path: /errorMessage$/,
    kafka: null,
    odradek: '<text>',
    why: 'Kafka leaves most refused batches without a message; Odradek says what is wrong with them.',
  },
  {
    step: /^produce by settings: .*gaps in compressed offsets$/,
    why:
      'Kafka 4.3.1 fails with UNKNOWN_SERVER_ERROR when it has to rebuild a compressed batch without looking at its keys. Odradek ' +
      'rebuilds the batch where it opens it, and keeps it as it came where it does not (docs/decisions/0003).',
  },
  {
    step: /^produce by settings: always gzip, /,
    path: /^stored\.\d+\.size$/,
    why: 'Two implementations of gzip need not find the same shortest form.',
  },
  {
    step: /^produce badly: codec [57]$/,
    path: /(errorCode|logStartOffset)$/,
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR for a codec that does not exist; Odradek answers UNSUPPORTED_COMPRESSION_TYPE.',
  },
  {
    step: /^produce badly: not what the codec says$/,
    why: 'Compressed batches stay closed (docs/decisions/0003); Kafka opens this one and fails with UNKNOWN_SERVER_ERROR.',
  },
  {
    step: /^fetch: an isolation level there is not$/,
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR; to Odradek whatever is not read_committed is read_uncommitted.',
  },
  {
    step: /^fetch: negative bytes$/,
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR; Odradek gives one batch, as for zero bytes.',
  },
  {
    step: /^offsets: epoch: -2/,
    path: /(leaderEpoch|endOffset)$/,
    why: 'Only -1 is no epoch to Kafka, which takes -2 for an early one. To Odradek all negative epochs are none.',
  },
  {
    step: /^metadata: neither id nor name$/,
    versions: [12, 13],
    path: /(errorCode|name)$/,
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR; Odradek answers INVALID_REQUEST, as both do below v12.',
  },
  {
    step: /^metadata: created by asking$/,
    path: /^topics\.0\./,
    why:
      'Kafka starts to create the topic and answers UNKNOWN_TOPIC_OR_PARTITION until it is there. Odradek answers with the finished ' +
      'topic, which spares the client its first retry.',
  },
  {
    step: /^creating topics: only looked at$/,
    path: /topicId$/,
    odradek: '<none>',
    why: 'Kafka makes up an id for a topic that it only looks at; no topic will ever have it.',
  },
  {
    step: /^partitions of topics: bad names$/,
    path: /^topics\.\d\.(errorCode|topicAuthorizedOperations)$/,
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR for the whole request; Odradek answers INVALID_TOPIC_EXCEPTION for the topic.',
  },
  {
    step: /^settings: a topic$|^settings: all brokers$/,
    path: /^results\.0\.configs/,
    why:
      'Kafka 4.3 sets min.insync.replicas for all brokers when it is new, as eligible leader replicas (KIP-966) ask for. Odradek does ' +
      'not keep those, so there it is a default.',
  },
  {
    step: /^settings: (an unknown topic|a topic and an unknown one)$/,
    path: /errorMessage$/,
    kafka: '',
    odradek: '<text>',
    why: 'Odradek has words for the error.',
  },
  {
    step: /^settings: the broker$/,
    path: /^results\.0\.configs\.\d\.readOnly$/,
    kafka: false,
    odradek: true,
    why: 'Settings of a running broker cannot be changed: it reads them when it starts.',
  },
  {
    step: /^settings: the broker$/,
    path: /^results\.0\.configs\.\d\.synonyms$/,
    why: 'node.id has a default in Odradek; Kafka does not start without one.',
  },
  {
    step: /^altering (topics|others): .*(another|a negative) operation$/,
    path: /^responses\.0\.(errorCode|errorMessage)$/,
    versions: [0, 1],
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR for an operation that there is not; Odradek answers INVALID_REQUEST, as both do for a broker.',
  },
  {
    step: /^altering others: (whole: )?the broker, (dynamic|another operation)$/,
    path: /^responses\.0\.(errorCode|errorMessage)$/,
    why: 'Settings of a running broker cannot be changed: it reads them when it starts. Refused as Kafka refuses it for read-only ones.',
  },
  {
    step: /^altering others: whole: all brokers, nothing$/,
    path: /^responses\.0\.(errorCode|errorMessage)$/,
    why:
      'Kafka 4.3 sets min.insync.replicas for all brokers when it is new, and does not let it be removed (KIP-966). In Odradek nothing ' +
      'is set for all brokers, so there is nothing to remove.',
  },
  {
    step: /^altering others: (whole: )?(a group|client metrics)$/,
    path: /^responses\.0\.(errorCode|errorMessage)$/,
    why: 'No config of a group or of client metrics is acted on: setting one is refused as Kafka refuses those it does not know.',
  },
  {
    step: /^committing with epochs: nobody, with the epoch fetches/,
    path: /^groups\.0\.errorCode$/,
    why: 'Kafka fails with UNKNOWN_SERVER_ERROR for an epoch without a member; to Odradek nobody is an unknown member.',
  },
  {
    step: /^connections: (ApiVersions 0 with bytes left over|a request with a byte too many|tags out of order|a tag twice)$/,
    odradek: 'closed',
    why: 'A request that is not what its version says may be another than its sender thinks: the connection is closed. Kafka reads on.',
  },
]
