// What lies beside the batches of a log, written so that it is never older than a recovery point promises: indexes of sealed segments,
// snapshots of producer state, the leader epochs.

import { writeFile, writeIndexes, writeShortIndexes } from './index-cache.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { Offset } from './partition-log.ts'
import { dropSnapshots } from './segment-files.ts'
import { isShortLog, type LoadedLog } from './loaded-log.ts'
import type { Segment } from './segment.ts'
import { fileNameOf, leaderEpochFileName, snapshotSuffix } from './segment-names.ts'
import type { StorageContext } from './storage-context.ts'

export class SideFiles {
  /** Known snapshots of producer state, by the offset they reach to. */
  readonly snapshots: Set<Offset>
  /** The epochs say more than their file. */
  epochsChanged: boolean
  readonly #context: StorageContext
  readonly #folder: string

  constructor(context: StorageContext, folder: string, loaded: LoadedLog) {
    this.#context = context
    this.#folder = folder
    this.snapshots = loaded.snapshots
    this.epochsChanged = !loaded.epochsOnDisk
  }

  /** All of a segment that takes no more appends; its batches are durable. `end`: where the next one begins. */
  async seal(
    segment: Segment,
    end: Offset,
    snapshot: Uint8Array,
    segments: readonly Segment[],
    epochs: LeaderEpochCache,
  ): Promise<void> {
    if (!segment.removed) await writeIndexes(this.#context.disk, segment)
    await this.#writeSnapshot(end, snapshot, segments)
    await this.writeEpochs(epochs)
    this.#context.indexCache.adopt(segment)
  }

  async writeEpochs(epochs: LeaderEpochCache): Promise<void> {
    if (!this.epochsChanged) return
    this.epochsChanged = false
    try {
      await this.#context.disk.replaceFile(this.#epochsPath, epochs.encode())
    } catch (error) {
      this.epochsChanged = true
      throw error
    }
  }

  /** What makes the next start quick. A short log is read whole then, so that its files only serve tools and may be lost. */
  async writeAll(
    segments: readonly Segment[],
    end: Offset,
    snapshot: Uint8Array,
    epochs: LeaderEpochCache,
  ): Promise<void> {
    const { disk } = this.#context
    const active = segments.at(-1)!
    active.finishTimeIndex()
    if (isShortLog(segments)) {
      if (active.entryDurable) await writeShortIndexes(disk, active)
      await writeFile(disk, this.#snapshotPath(end), snapshot)
      this.snapshots.add(end)
      await writeFile(disk, this.#epochsPath, epochs.encode())
    } else {
      if (active.entryDurable) await writeIndexes(disk, active)
      if (!this.snapshots.has(end)) await this.#writeSnapshot(end, snapshot, segments)
      await this.writeEpochs(epochs)
    }
  }

  async dropSnapshots(isStale: (offset: Offset) => boolean): Promise<void> {
    await dropSnapshots(this.#context, this.#folder, this.snapshots, isStale)
  }

  /** Older ones stay only where a segment begins: recovery may start there. */
  async #writeSnapshot(offset: Offset, bytes: Uint8Array, segments: readonly Segment[]): Promise<void> {
    await this.#context.disk.replaceFile(this.#snapshotPath(offset), bytes)
    this.snapshots.add(offset)
    const bases = new Set(segments.map((segment) => segment.baseOffset))
    await this.dropSnapshots((known) => known < offset && !bases.has(known))
  }

  #snapshotPath(offset: Offset): string {
    return `${this.#folder}/${fileNameOf(offset, snapshotSuffix)}`
  }

  get #epochsPath(): string {
    return `${this.#folder}/${leaderEpochFileName}`
  }
}
