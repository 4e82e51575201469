// Versions. 1: a change of the replication factor can be ruled out (KIP-860).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  nullable,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const reassignableTopic = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, replicas: nullable(array(int32)) })),
})

const reassignableTopicResponse = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, errorCode, errorMessage: emptyOrNull(string) })),
})

/** Starts moving partitions to other brokers, or cancels it (KIP-455). */
export const alterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    timeoutMs: withDefault(int32, 60000),
    allowReplicationFactorChange: since(1, withDefault(bool, true)),
    topics: array(reassignableTopic),
  },
  response: {
    throttleTimeMs: int32,
    allowReplicationFactorChange: since(1, ignorable(withDefault(bool, true))),
    errorCode,
    errorMessage: emptyOrNull(string),
    responses: array(reassignableTopicResponse),
  },
})

export type AlterPartitionReassignmentsRequest = RequestOf<typeof alterPartitionReassignments>
export type AlterPartitionReassignmentsResponse = ResponseOf<typeof alterPartitionReassignments>
