// The one fault of a disk that goes away by itself.

import { DiskError } from './disk.ts'

/** Whether a fault of the disk says that there is no room, for anybody or for this user. */
export function isNoRoom(error: unknown): error is DiskError {
  return error instanceof DiskError && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
