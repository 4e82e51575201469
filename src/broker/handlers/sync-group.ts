// A member asks what it was assigned; the leader brings the assignments along.

import type { syncGroup } from '../../protocol/apis/sync-group.ts'
import type { Handler } from '../handler.ts'

export const handleSyncGroup: Handler<typeof syncGroup, 'groups'> = (context, request) =>
  context.groups.sync(context, request)
