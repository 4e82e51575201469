// Why a broker does not start, in the operator's words.

import { JournalCorrupt } from '../cluster/journal.ts'
import { BrokerIdTaken } from '../cluster/membership.ts'
import { DiskError } from '../io/disk.ts'
import { FolderInUse, ForeignFolder } from '../storage/log-directory.ts'

/** The broker did not start, and the message tells the operator what to change. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'the disk is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EEXIST', 'it is not a folder'],
  ['ENOTDIR', 'a part of its path is not a folder'],
])

/** What ended the start as a `StartRefused`, when it is something an operator can change; anything else is a bug, as it is. */
export function asRefusal(error: unknown, dataFolder: string): unknown {
  const fault = diskErrorIn(error)
  if (fault !== null) {
    const reason = reasons.get(fault.code)
    const what = reason === undefined ? fault.message : `${reason} (${fault.message})`
    return new StartRefused(`cannot use the data folder ${dataFolder}: ${what}`, { cause: error })
  }
  const speaksForItself = [FolderInUse, ForeignFolder, JournalCorrupt, BrokerIdTaken].some(
    (kind) => error instanceof kind,
  )
  return speaksForItself ? new StartRefused((error as Error).message, { cause: error }) : error
}

/** The disk's fault, if that is at the bottom of it. */
function diskErrorIn(error: unknown): DiskError | null {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof DiskError) return at
  return null
}
