// The groups this broker coordinates; an administrator asks every broker.

import type { listGroups } from '../../protocol/apis/list-groups.ts'
import type { Handler } from '../handler.ts'

export const handleListGroups: Handler<typeof listGroups, 'groups'> = (context, request) =>
  context.groups.list(context, request)
