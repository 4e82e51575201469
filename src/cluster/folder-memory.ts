// What a data folder remembers of its broker's registrations. The cluster remembers the last one too (`broker/<id>`); when the two
// agree, the folder holds what the broker last acknowledged. An empty disk, or an older copy, cannot agree.

import type { Disk } from '../io/disk.ts'

export interface FolderMemory {
  /** The folder's own id, from its meta.properties. */
  readonly directoryId: string
  /** Where the folder is: the same only for this folder, on this machine, since it was last started. */
  readonly place: string
  /** Whether the last process that used the folder closed it in order. */
  readonly wasClean: boolean
  /** Incarnations of the broker that used this folder: one of them, or none, is the cluster's last. */
  readonly incarnations: readonly string[]
  /** Replaces them; durable when it resolves. Rejects with the disk's faults. */
  remember(incarnations: readonly string[]): Promise<void>
}

const incarnationsFileName = 'broker-incarnations'

const utf8 = new TextEncoder()
const text = new TextDecoder()

/** In a file of the folder, one line each. The folder must be this process's alone. */
export async function openFolderMemory(options: {
  readonly disk: Disk
  readonly path: string
  readonly place: string
  readonly directoryId: string
  readonly wasClean: boolean
}): Promise<FolderMemory> {
  const { disk, path, place, directoryId, wasClean } = options
  const file = `${path}/${incarnationsFileName}`
  const bytes = await disk.readFile(file)
  let incarnations = bytes === null ? [] : text.decode(bytes).split('\n').filter(Boolean)
  return {
    directoryId,
    place,
    wasClean,
    get incarnations() {
      return incarnations
    },
    async remember(next) {
      await disk.replaceFile(file, utf8.encode(next.map((incarnation) => `${incarnation}\n`).join('')))
      incarnations = [...next]
    },
  }
}
