// A member of a KIP-848 group says what it wants and has, and is told what to have.

import type { consumerGroupHeartbeat } from '../../protocol/apis/consumer-group-heartbeat.ts'
import type { Handler } from '../handler.ts'

export const handleConsumerGroupHeartbeat: Handler<typeof consumerGroupHeartbeat, 'groups'> = (context, request) =>
  context.groups.consumerHeartbeat(context, request)
