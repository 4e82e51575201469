// What a client of a coordinator hears when the coordinator's own log does not take a record
// (Kafka's appendGroupMetadataErrorToResponseError).

import { ErrorCode } from '../protocol/error-code.ts'
import type { CoordinatorRefusal } from './coordinator-partition.ts'

export const codeOfAppendRefusal = {
  recordListTooLarge: ErrorCode.UNKNOWN_SERVER_ERROR,
  invalidProducerEpoch: ErrorCode.UNKNOWN_SERVER_ERROR,
  outOfOrderSequence: ErrorCode.UNKNOWN_SERVER_ERROR,
  invalidTxnState: ErrorCode.UNKNOWN_SERVER_ERROR,
  diskFull: ErrorCode.COORDINATOR_NOT_AVAILABLE, // until there is room
  budgetExceeded: ErrorCode.UNKNOWN_SERVER_ERROR,
  offline: ErrorCode.NOT_COORDINATOR, // a storage error: the client looks for the next leader
  leaseLapsed: ErrorCode.NOT_COORDINATOR, // another broker may be it by now
} satisfies Record<CoordinatorRefusal, ErrorCode>
