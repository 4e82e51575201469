// Versions. 1: prefixed patterns (KIP-290). 2: flexible. 3: resources of type user (KIP-373).

import { api, array, emptyOrNull, errorCode, int32, int8, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const aclDescription = struct({
  principal: string,
  host: string,
  operation: int8,
  permissionType: int8,
})

const describeAclsResource = struct({
  resourceType: int8,
  resourceName: string,
  patternType: withDefault(int8, 3),
  acls: array(aclDescription),
})

/** The ACLs that match a filter. */
export const describeAcls = api({
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    resourceTypeFilter: int8,
    resourceNameFilter: emptyOrNull(string),
    patternTypeFilter: withDefault(int8, 3),
    principalFilter: emptyOrNull(string),
    hostFilter: emptyOrNull(string),
    operation: int8,
    permissionType: int8,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
    resources: array(describeAclsResource),
  },
})

export type DescribeAclsRequest = RequestOf<typeof describeAcls>
export type DescribeAclsResponse = ResponseOf<typeof describeAcls>
