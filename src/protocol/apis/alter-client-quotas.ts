// Versions. 1: flexible.

import { api, array, bool, emptyOrNull, errorCode, float64, int32, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const entryData = struct({
  entity: array(struct({ entityType: string, entityName: emptyOrNull(string) })),
  ops: array(struct({ key: string, value: float64, remove: bool })),
})

const responseEntryData = struct({
  errorCode,
  errorMessage: emptyOrNull(string),
  entity: array(struct({ entityType: string, entityName: emptyOrNull(string) })),
})

/** Sets or removes quotas of users, client ids and addresses (KIP-546). */
export const alterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    entries: array(entryData),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    entries: array(responseEntryData),
  },
})

export type AlterClientQuotasRequest = RequestOf<typeof alterClientQuotas>
export type AlterClientQuotasResponse = ResponseOf<typeof alterClientQuotas>
