// The state of a volume that is full, and the way out of it. Whoever meets a write that finds no room says so; from then on logs refuse
// appends (disk-room.ts), and the volume is asked once a second until there is room: first for the spare file, then for everybody.

import type { Clock, Timer } from '../../io/clock.ts'
import type { Disk, Volume } from '../../io/disk.ts'
import type { Logger } from '../../lib/logger.ts'
import type { DiskRoom } from './disk-room.ts'
import type { SpareFile } from './spare-file.ts'

export interface FullVolumeOptions {
  readonly disk: Disk
  readonly folder: string
  readonly room: DiskRoom
  readonly spare: SpareFile
  readonly clock: Clock
  readonly logger: Logger
}

const askEveryMs = 1000
/** The spare file is made a while after the start: a broker that lives for a test only does without. */
const spareDelayMs = 3000
/** There was not enough room for it. */
const spareEveryMs = 30_000
/** Beside the spare file; less on a volume that is small. What is less is gone with the next appends, and not worth going on for. */
const roomAtLeastBytes = 1024 * 1024

export class FullVolume {
  readonly #options: FullVolumeOptions
  readonly #spareBytes: number
  #timer: Timer | null = null
  #asking: Promise<void> = Promise.resolve()
  #stopped = false

  /** `spareBytes`: how large the spare file is to be, 0 for none. */
  constructor(options: FullVolumeOptions, spareBytes: number) {
    this.#options = options
    this.#spareBytes = spareBytes
    options.room.onNoRoom = () => this.found()
  }

  /**
   * Looks for the spare file of an earlier run. A volume that is full already is taken for full from the start, so that what little room
   * there is is left for what cannot wait. Rejects with the disk's faults.
   */
  async open(): Promise<void> {
    const { disk, folder, spare } = this.#options
    await spare.find(this.#spareBytes)
    if (!this.#hasRoom(await disk.volume(folder))) this.found()
  }

  /** Makes the spare file in the background, unless it is there. */
  start(): void {
    const { spare, room } = this.#options
    if (this.#spareBytes > 0 && !spare.isThere && !room.volumeFull) this.#askIn(spareDelayMs)
  }

  /** Resolves when nothing is written or asked any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#asking
  }

  /** A write found no room. */
  found(): void {
    const { room, logger } = this.#options
    if (room.volumeFull) return
    room.volumeFull = true
    logger.error(
      { folder: this.#options.folder },
      'the volume is full: producers are refused until there is room, everything else goes on',
    )
    this.#askIn(askEveryMs)
  }

  /** Room for something that cannot wait, if there is any to make. Never rejects. */
  async makeRoom(): Promise<void> {
    this.found()
    const { spare, folder, logger } = this.#options
    if (await spare.giveUp())
      logger.warn({ folder }, 'the spare file was given up: metadata and offsets are written on')
  }

  #hasRoom({ freeBytes, totalBytes }: Volume): boolean {
    const wanted = this.#options.spare.isThere ? 0 : this.#spareBytes
    // Twice, so that it is not at once too little again when the spare file is made.
    return freeBytes >= 2 * wanted + Math.min(roomAtLeastBytes, totalBytes / 64)
  }

  #askIn(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#stopped) return
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#asking = this.#ask().then((done) => {
        if (!done) this.#askIn(this.#options.room.volumeFull ? askEveryMs : spareEveryMs)
      })
    })
  }

  /** True when nothing is left to be done. */
  async #ask(): Promise<boolean> {
    const { disk, folder, room, spare, logger } = this.#options
    try {
      if (!this.#hasRoom(await disk.volume(folder))) return false
      if (!(await spare.make(this.#spareBytes))) return false
    } catch (error) {
      logger.warn({ folder, err: error }, 'the volume could not be asked for its room, it is asked again')
      return false
    }
    if (room.volumeFull && !this.#stopped) {
      room.volumeFull = false
      logger.info({ folder }, 'the volume has room again')
    }
    return true
  }
}
