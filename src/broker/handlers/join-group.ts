// A consumer asks to be a member of its group; the answer comes when the group has a new generation.

import type { joinGroup } from '../../protocol/apis/join-group.ts'
import type { Handler } from '../handler.ts'

/** Below v7 the protocol's name has no form for null: where there is none it is empty. */
const nullNameSince = 7

export const handleJoinGroup: Handler<typeof joinGroup, 'groups'> = async (context, request) => {
  const answer = await context.groups.join(context, request)
  return context.apiVersion >= nullNameSince ? answer : { ...answer, protocolName: answer.protocolName ?? '' }
}
