// Versions. 1: flexible.

import { api, array, bool, emptyOrNull, errorCode, int32, int8, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const alterConfigsResource = struct({
  resourceType: int8,
  resourceName: string,
  configs: array(struct({ name: string, configOperation: int8, value: emptyOrNull(string) })),
})

const alterConfigsResourceResponse = struct({
  errorCode,
  errorMessage: emptyOrNull(string),
  resourceType: int8,
  resourceName: string,
})

/** Sets, deletes, appends to or subtracts from single settings (KIP-339). */
export const incrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    resources: array(alterConfigsResource),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array(alterConfigsResourceResponse),
  },
})

export type IncrementalAlterConfigsRequest = RequestOf<typeof incrementalAlterConfigs>
export type IncrementalAlterConfigsResponse = ResponseOf<typeof incrementalAlterConfigs>
