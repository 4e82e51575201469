// Versions. 1: flexible. 2: transaction version, which says which epoch a marker carries (KIP-1228).

import {
  api,
  array,
  bool,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
  int8,
  since,
  string,
  struct,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const writableTxnMarker = struct({
  producerId: int64,
  producerEpoch: int16,
  transactionResult: bool,
  topics: array(struct({ name: string, partitionIndexes: array(int32) })),
  coordinatorEpoch: int32,
  transactionVersion: since(2, ignorable(int8)),
})

const writableTxnMarkerTopicResult = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, errorCode })),
})

const writableTxnMarkerResult = struct({
  producerId: int64,
  topics: array(writableTxnMarkerTopicResult),
})

/** A transaction coordinator has leaders write commit or abort markers (KIP-98). Brokers only. */
export const writeTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexibleSince: 1,
  request: {
    markers: array(writableTxnMarker),
  },
  response: {
    markers: array(writableTxnMarkerResult),
  },
})

export type WriteTxnMarkersRequest = RequestOf<typeof writeTxnMarkers>
export type WriteTxnMarkersResponse = ResponseOf<typeof writeTxnMarkers>
