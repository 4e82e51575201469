// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible.

import { api, array, bool, emptyOrNull, errorCode, int32, int8, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const alterConfigsResource = struct({
  resourceType: int8,
  resourceName: string,
  configs: array(struct({ name: string, value: emptyOrNull(string) })),
})

const alterConfigsResourceResponse = struct({
  errorCode,
  errorMessage: emptyOrNull(string),
  resourceType: int8,
  resourceName: string,
})

/** Replaces all settings of a resource. IncrementalAlterConfigs changes some of them. */
export const alterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    resources: array(alterConfigsResource),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array(alterConfigsResourceResponse),
  },
})

export type AlterConfigsRequest = RequestOf<typeof alterConfigs>
export type AlterConfigsResponse = ResponseOf<typeof alterConfigs>
