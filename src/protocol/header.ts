// What stands before the body of every request and response.

import { emptyOrNull, int16, int32, message, neverCompactString } from './schema/index.ts'
import type { AnyApi } from './schema/index.ts'

/** Version 1 for requests that are not flexible, version 2 (a tag section) for those that are. The client id is never compact. */
export const requestHeader = message({
  versions: [1, 2],
  flexibleSince: 2,
  fields: {
    requestApiKey: int16,
    requestApiVersion: int16,
    correlationId: int32,
    clientId: emptyOrNull(neverCompactString),
  },
})

/** Version 0, or 1 (a tag section) for flexible responses. */
export const responseHeader = message({ versions: [0, 1], flexibleSince: 1, fields: { correlationId: int32 } })

const API_VERSIONS_KEY = 18

export function requestHeaderVersion(api: AnyApi, version: number): 1 | 2 {
  return version >= api.flexibleSince ? 2 : 1
}

/**
 * ApiVersions answers with version 0 always: a client that does not yet know the broker must be able to read an
 * answer in an older version than it asked for (KIP-511).
 */
export function responseHeaderVersion(api: AnyApi, version: number): 0 | 1 {
  return version >= api.flexibleSince && api.key !== API_VERSIONS_KEY ? 1 : 0
}
