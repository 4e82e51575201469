// What a group looks like: state, protocol, members with their assignments.

import type { describeGroups } from '../../protocol/apis/describe-groups.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'

/** READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS, as bits: all there is for a group. Nobody is refused anything. */
export const allGroupOperations = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)

export const handleDescribeGroups: Handler<typeof describeGroups, 'groups'> = async (context, request) => {
  const response = await context.groups.describe(context, request)
  if (!request.includeAuthorizedOperations) return response
  const groups = response.groups.map((group) =>
    group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: allGroupOperations } : group,
  )
  return { ...response, groups }
}
