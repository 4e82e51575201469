// UnregisterBroker (KIP-631): a broker that will not come back is forgotten. Any broker decides it.

import type { unregisterBroker } from '../../protocol/apis/unregister-broker.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'

export const handleUnregisterBroker: Handler<typeof unregisterBroker, 'brokerAdmin'> = async (
  { brokerAdmin },
  { brokerId },
) => {
  const refusal = await brokerAdmin.unregister(brokerId)
  return {
    throttleTimeMs: 0,
    errorCode: refusal?.error ?? ErrorCode.NONE,
    errorMessage: refusal?.message ?? null,
  }
}
