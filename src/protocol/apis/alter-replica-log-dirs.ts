// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible.

import { api, array, errorCode, int32, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const alterReplicaLogDir = struct({
  path: string,
  topics: array(struct({ name: string, partitions: array(int32) })),
})

const alterReplicaLogDirTopicResult = struct({
  topicName: string,
  partitions: array(struct({ partitionIndex: int32, errorCode })),
})

/** Moves replicas between the log directories of a broker (KIP-113). */
export const alterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexibleSince: 2,
  request: {
    dirs: array(alterReplicaLogDir),
  },
  response: {
    throttleTimeMs: int32,
    results: array(alterReplicaLogDirTopicResult),
  },
})

export type AlterReplicaLogDirsRequest = RequestOf<typeof alterReplicaLogDirs>
export type AlterReplicaLogDirsResponse = ResponseOf<typeof alterReplicaLogDirs>
