// Where a data folder is, as exactly as can be told. Whoever holds the folder's lock at the place where its broker was registered knows
// that the broker's earlier process has ended; at another place the folder may be a copy, and the original in use.

import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Disk } from '../io/disk.ts'

/** Linux: another after each start of the machine, and on each machine. */
const bootIdFile = '/proc/sys/kernel/random/boot_id'

/** One line. Where the system does not tell its boots apart it is the path alone, and a copy on another machine goes unnoticed. */
export async function placeOf(disk: Disk, folder: string): Promise<string> {
  const bootId = await disk.readFile(bootIdFile).catch(() => null)
  const path = resolve(folder)
  // Containers share the boot of their machine; their names differ.
  return bootId === null ? path : `${hostname()} ${new TextDecoder().decode(bootId).trim()} ${path}`
}
