// Versions. 0: client metrics only (KIP-714). 1: any type (KIP-1142).

import { api, array, errorCode, ignorable, int32, int8, since, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Resources that have settings of their own. */
export const listConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    resourceTypes: since(1, array(int8)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    configResources: array(struct({ resourceName: string, resourceType: since(1, ignorable(withDefault(int8, 16))) })),
  },
})

export type ListConfigResourcesRequest = RequestOf<typeof listConfigResources>
export type ListConfigResourcesResponse = ResponseOf<typeof listConfigResources>
