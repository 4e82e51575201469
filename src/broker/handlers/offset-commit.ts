// A consumer records how far its group has read.

import type { offsetCommit } from '../../protocol/apis/offset-commit.ts'
import type { Handler } from '../handler.ts'

export const handleOffsetCommit: Handler<typeof offsetCommit, 'groups'> = (context, request) =>
  context.groups.commitOffsets(context, request)
