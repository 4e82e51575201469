// Versions. 0: preferred replica only (KIP-183). 1: unclean election, an error of the whole (KIP-460). 2: flexible.

import { api, array, emptyOrNull, errorCode, int32, int8, since, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const topicPartitions = struct({
  topic: string,
  partitions: array(int32),
})

const replicaElectionResult = struct({
  topic: string,
  partitionResult: array(struct({ partitionId: int32, errorCode, errorMessage: emptyOrNull(string) })),
})

/** Has partitions elect a leader: the preferred replica, or any when none is in sync. */
export const electLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    electionType: since(1, int8),
    topicPartitions: emptyOrNull(array(topicPartitions)),
    timeoutMs: withDefault(int32, 60000),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: since(1, errorCode),
    replicaElectionResults: array(replicaElectionResult),
  },
})

export type ElectLeadersRequest = RequestOf<typeof electLeaders>
export type ElectLeadersResponse = ResponseOf<typeof electLeaders>
