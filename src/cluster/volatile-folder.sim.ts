// The memory of a data folder, for tests: as long-lived as its object.

import type { FolderMemory } from './folder-memory.ts'

export class VolatileFolder implements FolderMemory {
  readonly directoryId: string
  place = 'here'
  wasClean = true
  incarnations: readonly string[]

  constructor(directoryId: string, incarnations: readonly string[] = []) {
    this.directoryId = directoryId
    this.incarnations = incarnations
  }

  async remember(incarnations: readonly string[]): Promise<void> {
    this.incarnations = [...incarnations]
  }
}
