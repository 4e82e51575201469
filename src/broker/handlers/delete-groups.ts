// Groups that nobody is in, with all they have committed (KIP-229).

import type { deleteGroups } from '../../protocol/apis/delete-groups.ts'
import type { Handler } from '../handler.ts'

export const handleDeleteGroups: Handler<typeof deleteGroups, 'groups'> = (context, request) =>
  context.groups.deleteGroups(context, request)
