// Why groups rebalanced: Odradek's own.

import type { describeGroupHistory } from '../../protocol/apis/describe-group-history.ts'
import type { Handler } from '../handler.ts'

export const handleDescribeGroupHistory: Handler<typeof describeGroupHistory, 'groups'> = (context, request) =>
  context.groups.describeHistory(context, request)
