// Beginning segments and sealing those that take no more appends: their indexes and a snapshot of the producers go to disk in the
// background, one segment after the other, after their batches.

import { isNoRoom } from '../io/no-room.ts'
import { RecordsDropped } from './log-errors.ts'
import type { Offset } from './partition-log.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'
import { newSegment } from './segment-files.ts'
import type { Segment } from './segment.ts'
import type { SideFiles } from './side-files.ts'
import type { StorageContext } from './storage-context.ts'

interface Unsealed {
  readonly segment: Segment
  /** Where the next one begins. */
  readonly end: Offset
  readonly snapshot: Uint8Array
}

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
  /** Rolled and not sealed yet, oldest first: their turn has not come, or there was no room for their files. */
  #unsealed: Unsealed[] = []

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

  /** Seals the active segment in the background and begins the next one, at the end of the log or `at` an offset beyond. */
  roll(at: Offset = this.#state.end): Segment {
    const state = this.#state
    const sealed = state.active
    const end = at
    const next = newSegment(this.#context, state.folder, end, state.config)
    next.startIndexes()
    sealed.finishTimeIndex()
    state.segments.push(next)
    state.changed = true
    const snapshot = encodeProducerSnapshot(state.producers)
    this.#unsealed.push({ segment: sealed, end, snapshot })
    this.#sealSoon()
    return next
  }

  /** Resolves once nothing is being sealed; never rejects. */
  async idle(): Promise<void> {
    await this.#sealing
  }

  /** Seals what could not be for want of room, and rejects when there is still none. */
  async sealRest(): Promise<void> {
    if (this.#unsealed.length > 0) this.#sealSoon()
    await this.#sealing
    const left = this.#unsealed.length
    if (left > 0 && this.#state.fault === null) {
      throw new RecordsDropped(`no room on the disk for the side files of ${left} segments`)
    }
  }

  /** The log was cut or begun anew while nothing was being sealed: what is active now is not sealed. */
  reset(): void {
    const { baseOffset } = this.#state.active
    this.#unsealed = this.#unsealed.filter(({ end, segment }) => end <= baseOffset && !segment.removed)
    if (this.#unsealed.length === 0) this.#sealedTo = baseOffset
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

  #sealSoon(): void {
    this.#sealing = this.#sealing.then(() => this.#sealAll())
  }

  async #sealAll(): Promise<void> {
    try {
      for (let next = this.#unsealed[0]; next !== undefined; next = this.#unsealed[0]) {
        if (this.#state.fault !== null) return
        const { segment, end, snapshot } = next
        await this.#writer.syncedTo(Math.min(end, this.#state.end))
        await this.#sideFiles.seal(segment, end, snapshot, this.#state.segments, this.#state.epochs)
        this.#unsealed.shift()
        this.#sealedTo = end
      }
    } catch (error) {
      // Without room for its files it stays unsealed, and is read again after a crash; the next one that is rolled brings another try.
      if (!isNoRoom(error) && !(error instanceof RecordsDropped)) this.#fail(error)
    }
  }
}
