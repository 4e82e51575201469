import { api, array, bool, errorCode, int32, int8, string, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A client asks which of its metrics to send, and how often (KIP-714). */
export const getTelemetrySubscriptions = api({
  key: 71,
  name: 'GetTelemetrySubscriptions',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    clientInstanceId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    clientInstanceId: uuid,
    subscriptionId: int32,
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    requestedMetrics: array(string),
  },
})

export type GetTelemetrySubscriptionsRequest = RequestOf<typeof getTelemetrySubscriptions>
export type GetTelemetrySubscriptionsResponse = ResponseOf<typeof getTelemetrySubscriptions>
