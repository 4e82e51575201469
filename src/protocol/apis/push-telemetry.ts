import { api, bool, bytes, errorCode, int32, int8, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A client sends its metrics (KIP-714). */
export const pushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
  },
})

export type PushTelemetryRequest = RequestOf<typeof pushTelemetry>
export type PushTelemetryResponse = ResponseOf<typeof pushTelemetry>
