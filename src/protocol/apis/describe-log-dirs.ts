// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible. 3: an error of the
// whole. 4: size of the volume and what is free (KIP-827). 5: whether new replicas are kept out (KIP-1066).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int64,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const describableLogDirTopic = struct({
  topic: string,
  partitions: array(int32),
})

const describeLogDirsPartition = struct({
  partitionIndex: int32,
  partitionSize: int64,
  offsetLag: int64,
  isFutureKey: bool,
})

const describeLogDirsTopic = struct({
  name: string,
  partitions: array(describeLogDirsPartition),
})

const describeLogDirsResult = struct({
  errorCode,
  logDir: string,
  topics: array(describeLogDirsTopic),
  totalBytes: since(4, ignorable(withDefault(int64, -1))),
  usableBytes: since(4, ignorable(withDefault(int64, -1))),
  isCordoned: since(5, ignorable(bool)),
})

/** The log directories of a broker, and the size of what is in them (KIP-113). */
export const describeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexibleSince: 2,
  request: {
    topics: emptyOrNull(array(describableLogDirTopic)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: since(3, ignorable(errorCode)),
    results: array(describeLogDirsResult),
  },
})

export type DescribeLogDirsRequest = RequestOf<typeof describeLogDirs>
export type DescribeLogDirsResponse = ResponseOf<typeof describeLogDirs>
