// Versions. 1: flexible.

import { api, array, bool, emptyOrNull, errorCode, float64, int32, int8, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const entryData = struct({
  entity: array(struct({ entityType: string, entityName: emptyOrNull(string) })),
  values: array(struct({ key: string, value: float64 })),
})

/** Quotas of users, client ids and addresses (KIP-546). */
export const describeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    components: array(struct({ entityType: string, matchType: int8, match: emptyOrNull(string) })),
    strict: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
    entries: emptyOrNull(array(entryData)),
  },
})

export type DescribeClientQuotasRequest = RequestOf<typeof describeClientQuotas>
export type DescribeClientQuotasResponse = ResponseOf<typeof describeClientQuotas>
