// A member says it is alive; the answer tells it whether a rebalance is under way.

import type { heartbeat } from '../../protocol/apis/heartbeat.ts'
import type { Handler } from '../handler.ts'

export const handleHeartbeat: Handler<typeof heartbeat, 'groups'> = (context, request) =>
  context.groups.heartbeat(context, request)
