// Offsets of a group that are not wanted any more, partition by partition (KIP-496).

import type { offsetDelete } from '../../protocol/apis/offset-delete.ts'
import type { Handler } from '../handler.ts'

export const handleOffsetDelete: Handler<typeof offsetDelete, 'groups'> = (context, request) =>
  context.groups.deleteOffsets(context, request)
