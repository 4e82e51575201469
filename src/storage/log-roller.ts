// Beginning segments and sealing those that take no more appends: their indexes and a snapshot of the producers go to disk in the
// background, one segment after the other, after their batches.

import type { Offset } from './partition-log.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'
import { newSegment } from './segment-files.ts'
import type { Segment } from './segment.ts'
import type { SideFiles } from './side-files.ts'
import type { StorageContext } from './storage-context.ts'

export class LogRoller {
  readonly #context: StorageContext
  readonly #state: LogState
  readonly #writer: LogWriter
  readonly #sideFiles: SideFiles
  readonly #makeFolder: () => Promise<void>
  readonly #fail: (error: unknown) => void
  #folderMade: boolean
  /** Segments below are sealed: all their files are durable. */
  #sealedTo: Offset
  #sealing: Promise<void> = Promise.resolve()

  constructor(
    context: StorageContext,
    parts: {
      state: LogState
      writer: LogWriter
      sideFiles: SideFiles
      /** Makes the folder of a log that has none yet, durably. */
      makeFolder: () => Promise<void>
      folderMade: boolean
      /** Takes the log offline. */
      fail: (error: unknown) => void
    },
  ) {
    this.#context = context
    this.#state = parts.state
    this.#writer = parts.writer
    this.#sideFiles = parts.sideFiles
    this.#makeFolder = parts.makeFolder
    this.#folderMade = parts.folderMade
    this.#fail = parts.fail
    this.#sealedTo = parts.state.active.baseOffset
  }

  get folderMade(): boolean {
    return this.#folderMade
  }

  /** Below it all segments are sealed; Infinity when the active one is the only one that is not. */
  get sealedTo(): Offset {
    return this.#sealedTo === this.#state.active.baseOffset ? Infinity : this.#sealedTo
  }

  /** Seals the active segment in the background and begins the next one, at the end of the log. */
  roll(): Segment {
    const state = this.#state
    const sealed = state.active
    const { end } = state
    const next = newSegment(this.#context, state.folder, end, state.config)
    next.startIndexes()
    sealed.finishTimeIndex()
    state.segments.push(next)
    state.changed = true
    const snapshot = encodeProducerSnapshot(state.producers)
    this.#sealing = this.#sealing.then(() => this.#seal(sealed, end, snapshot))
    return next
  }

  /** Resolves once nothing is being sealed; never rejects. */
  async idle(): Promise<void> {
    await this.#sealing
  }

  /** The log was cut or begun anew: its active segment is the only one that is not sealed. */
  reset(): void {
    this.#sealedTo = this.#state.active.baseOffset
  }

  async createFolder(): Promise<void> {
    if (this.#folderMade) return
    await this.#makeFolder()
    this.#folderMade = true
  }

  /** Makes the segment's file, empty, durable. */
  async createFile(segment: Segment): Promise<void> {
    await this.createFolder()
    await segment.file.write([], 0)
    await this.#context.disk.syncFolder(this.#state.folder)
    segment.entryDurable = true
  }

  async #seal(segment: Segment, end: Offset, snapshot: Uint8Array): Promise<void> {
    try {
      if (this.#state.fault !== null) return
      await this.#writer.syncedTo(Math.min(end, this.#state.end))
      await this.#sideFiles.seal(segment, end, snapshot, this.#state.segments, this.#state.epochs)
      this.#sealedTo = end
    } catch (error) {
      this.#fail(error)
    }
  }
}
