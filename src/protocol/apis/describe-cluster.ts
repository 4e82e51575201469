// Versions. 1: brokers or controllers (KIP-919). 2: fenced brokers too, when asked (KIP-1073).

import {
  api,
  array,
  bool,
  errorCode,
  int32,
  int8,
  nullable,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const describeClusterBroker = struct({
  brokerId: int32,
  host: string,
  port: int32,
  rack: nullable(string),
  isFenced: since(2, bool),
})

/** Brokers, controller and id of the cluster (KIP-700). */
export const describeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    endpointType: since(1, withDefault(int8, 1)),
    includeFencedBrokers: since(2, bool),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    endpointType: since(1, withDefault(int8, 1)),
    clusterId: string,
    controllerId: withDefault(int32, -1),
    brokers: array(describeClusterBroker),
    clusterAuthorizedOperations: withDefault(int32, -0x8000_0000),
  },
})

export type DescribeClusterRequest = RequestOf<typeof describeCluster>
export type DescribeClusterResponse = ResponseOf<typeof describeCluster>
