// What a KIP-848 group looks like: its epochs, its members, what they have and what they are meant to have.

import type { consumerGroupDescribe } from '../../protocol/apis/consumer-group-describe.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { allGroupOperations } from './describe-groups.ts'

export const handleConsumerGroupDescribe: Handler<typeof consumerGroupDescribe, 'groups'> = async (
  context,
  request,
) => {
  const response = await context.groups.describeConsumerGroups(context, request)
  if (!request.includeAuthorizedOperations) return response
  const groups = response.groups.map((group) =>
    group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: allGroupOperations } : group,
  )
  return { ...response, groups }
}
