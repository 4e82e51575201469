// Versions. 1: prefixed patterns (KIP-290). 2: flexible. 3: resources of type user (KIP-373).

import { api, array, emptyOrNull, errorCode, int32, int8, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const aclCreation = struct({
  resourceType: int8,
  resourceName: string,
  resourcePatternType: withDefault(int8, 3),
  principal: string,
  host: string,
  operation: int8,
  permissionType: int8,
})

/** Creates ACLs. */
export const createAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    creations: array(aclCreation),
  },
  response: {
    throttleTimeMs: int32,
    results: array(struct({ errorCode, errorMessage: emptyOrNull(string) })),
  },
})

export type CreateAclsRequest = RequestOf<typeof createAcls>
export type CreateAclsResponse = ResponseOf<typeof createAcls>
