// A consumer asks to be a member of its group; the answer comes when the group has a new generation.

import type { joinGroup } from '../../protocol/apis/join-group.ts'
import type { Handler } from '../handler.ts'

export const handleJoinGroup: Handler<typeof joinGroup, 'groups'> = (context, request) =>
  context.groups.join(context, request)
