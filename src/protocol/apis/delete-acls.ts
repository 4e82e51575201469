// Versions. 1: prefixed patterns (KIP-290). 2: flexible. 3: resources of type user (KIP-373).

import { api, array, emptyOrNull, errorCode, int32, int8, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const deleteAclsFilter = struct({
  resourceTypeFilter: int8,
  resourceNameFilter: emptyOrNull(string),
  patternTypeFilter: withDefault(int8, 3),
  principalFilter: emptyOrNull(string),
  hostFilter: emptyOrNull(string),
  operation: int8,
  permissionType: int8,
})

const deleteAclsMatchingAcl = struct({
  errorCode,
  errorMessage: emptyOrNull(string),
  resourceType: int8,
  resourceName: string,
  patternType: withDefault(int8, 3),
  principal: string,
  host: string,
  operation: int8,
  permissionType: int8,
})

const deleteAclsFilterResult = struct({
  errorCode,
  errorMessage: emptyOrNull(string),
  matchingAcls: array(deleteAclsMatchingAcl),
})

/** Deletes the ACLs that match filters, and says which they were. */
export const deleteAcls = api({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    filters: array(deleteAclsFilter),
  },
  response: {
    throttleTimeMs: int32,
    filterResults: array(deleteAclsFilterResult),
  },
})

export type DeleteAclsRequest = RequestOf<typeof deleteAcls>
export type DeleteAclsResponse = ResponseOf<typeof deleteAcls>
