// Members leave, or an administrator removes static ones; the others rebalance without waiting for a session to end.

import type { leaveGroup } from '../../protocol/apis/leave-group.ts'
import type { Handler } from '../handler.ts'

export const handleLeaveGroup: Handler<typeof leaveGroup, 'groups'> = (context, request) =>
  context.groups.leave(context, request)
