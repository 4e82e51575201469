// Versions. 1: racks, controller, internal topics; null asks for all topics, an empty list for none. 2: cluster id
// (KIP-78). 3: throttle time. 4: whether asking may create a topic. 5: offline replicas (KIP-112). 6: a throttled
// answer comes at once and the client waits (KIP-219). 7: leader epoch (KIP-320). 8: authorized operations (KIP-430).
// 9: flexible. 10: topic ids (KIP-516). 11: no more authorized operations of the cluster: DescribeCluster has them
// (KIP-700). 12: topics may be asked for by id. 13: an error of the whole, which can tell the client to bootstrap
// again (KIP-1102).

import {
  api,
  array,
  between,
  bool,
  errorCode,
  ignorable,
  int32,
  nullable,
  nullableSince,
  since,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const metadataRequestTopic = struct({
  topicId: since(10, ignorable(uuid)),
  name: nullableSince(10, string),
})

const metadataResponseBroker = struct({
  nodeId: int32,
  host: string,
  port: int32,
  rack: since(1, ignorable(nullable(string))),
})

const metadataResponsePartition = struct({
  errorCode,
  partitionIndex: int32,
  leaderId: int32,
  leaderEpoch: since(7, ignorable(withDefault(int32, -1))),
  replicaNodes: array(int32),
  isrNodes: array(int32),
  offlineReplicas: since(5, ignorable(array(int32))),
})

const metadataResponseTopic = struct({
  errorCode,
  name: nullableSince(12, string),
  topicId: since(10, ignorable(uuid)),
  isInternal: since(1, ignorable(bool)),
  partitions: array(metadataResponsePartition),
  topicAuthorizedOperations: since(8, withDefault(int32, -0x8000_0000)),
})

/** Which brokers there are, which topics, and who leads their partitions. */
export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleSince: 9,
  request: {
    topics: nullableSince(1, array(metadataRequestTopic)),
    allowAutoTopicCreation: since(4, withDefault(bool, true)),
    includeClusterAuthorizedOperations: between(8, 10, bool),
    includeTopicAuthorizedOperations: since(8, bool),
  },
  response: {
    throttleTimeMs: since(3, ignorable(int32)),
    brokers: array(metadataResponseBroker),
    clusterId: since(2, ignorable(nullable(string))),
    controllerId: since(1, ignorable(withDefault(int32, -1))),
    topics: array(metadataResponseTopic),
    clusterAuthorizedOperations: between(8, 10, withDefault(int32, -0x8000_0000)),
    errorCode: since(13, ignorable(errorCode)),
  },
})

export type MetadataRequest = RequestOf<typeof metadata>
export type MetadataResponse = ResponseOf<typeof metadata>
