// Where groups left off.

import type { offsetFetch } from '../../protocol/apis/offset-fetch.ts'
import type { Handler } from '../handler.ts'

export const handleOffsetFetch: Handler<typeof offsetFetch, 'groups'> = (context, request) =>
  context.groups.fetchOffsets(context, request)
