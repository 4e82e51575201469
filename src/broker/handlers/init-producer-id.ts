// InitProducerId: the id of an idempotent producer (KIP-98). v3: a producer may name the id and epoch it has, to go on after an error
// (KIP-360); without a transactional id it gets a new one all the same, as in Kafka.
//
// A transactional id gets COORDINATOR_NOT_AVAILABLE: no broker of this version coordinates transactions. Clients take it for a
// passing state and report a timeout; no code says "never" without also saying something wrong about the client's rights.

import type {
  initProducerId,
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../protocol/apis/init-producer-id.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'

export const handleInitProducerId: Handler<typeof initProducerId, 'producerIds'> = ({ producerIds }, request) => {
  const refusal = refusalOf(request)
  if (refusal !== null) return answer(refusal, -1, -1)
  return producerIds.nextId().then((next) => {
    if (typeof next === 'number') return answer(ErrorCode.NONE, next, 0)
    // As Kafka, when no block of ids can be had. It is what producers without a transactional id try again.
    return answer(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1, -1)
  })
}

function refusalOf({ transactionalId, producerId, producerEpoch }: InitProducerIdRequest): ErrorCode | null {
  // Both or neither.
  if ((producerId === -1) !== (producerEpoch === -1)) return ErrorCode.INVALID_REQUEST
  if (transactionalId === '') return ErrorCode.INVALID_REQUEST
  return transactionalId === null ? null : ErrorCode.COORDINATOR_NOT_AVAILABLE
}

function answer(errorCode: ErrorCode, producerId: number, producerEpoch: number): InitProducerIdResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    producerId,
    producerEpoch,
    ongoingTxnProducerId: -1,
    ongoingTxnProducerEpoch: -1,
  }
}
