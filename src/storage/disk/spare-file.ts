// A file of nothing, kept for the moment when the volume is full: it is given up, so that what a broker cannot do without can still be
// written. Its blocks are real: random bytes, no two blocks alike, which no file system stores more cheaply than that.

import { type Disk, DiskError, type DiskFile, type Volume } from '../../io/disk.ts'
import type { Random } from '../../io/random.ts'
import { type BudgetSettings, boundOf } from './disk-limits.ts'
import type { DiskUse } from './disk-use.ts'
import { isNoRoom } from '../../io/no-room.ts'

export const spareFileName = 'disk-spare.bin'

const MIB = 1024 * 1024
const sizeMax = 16 * MIB
/** Of the volume, and of the budget. */
const part = 1 / 64
const pieceBytes = 256 * 1024
/** No file system finds what is alike in smaller units. */
const blockBytes = 4096

/** 0: the volume has no bound, or is too small for one. */
export function spareBytesFor(volume: Volume, settings: BudgetSettings): number {
  if (volume.totalBytes === Infinity) return 0
  const bytes = Math.min(sizeMax, Math.min(volume.totalBytes, boundOf(settings, volume)) * part)
  return bytes < pieceBytes ? 0 : Math.floor(bytes / pieceBytes) * pieceBytes
}

export class SpareFile {
  readonly #disk: Disk
  readonly #use: DiskUse
  readonly #random: Random
  readonly #path: string
  #isThere = false
  #making: Promise<boolean> | null = null
  #givingUp: Promise<boolean> | null = null
  /** Given up while it is being made. */
  #unwanted = false

  /** `disk`: the one below, for what is written here never makes room by itself. */
  constructor(options: { disk: Disk; use: DiskUse; random: Random; folder: string }) {
    this.#disk = options.disk
    this.#use = options.use
    this.#random = options.random
    this.#path = `${options.folder}/${spareFileName}`
  }

  get isThere(): boolean {
    return this.#isThere
  }

  /** One of an earlier run counts, when it is whole. Rejects with the disk's faults. */
  async find(sizeBytes: number): Promise<void> {
    if (sizeBytes === 0) return
    try {
      const file = await this.#disk.open(this.#path, { readOnly: true })
      const found = await file.size()
      await file.close()
      this.#isThere = found >= sizeBytes
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error
    }
  }

  /** Makes it, when there is none; false when there was no room. Rejects with the disk's other faults. */
  make(sizeBytes: number): Promise<boolean> {
    if (this.#isThere || sizeBytes === 0) return Promise.resolve(true)
    this.#making ??= this.#make(sizeBytes).finally(() => {
      this.#making = null
    })
    return this.#making
  }

  /** Removes it: true when that made room, false when there was nothing to remove. Never rejects. */
  giveUp(): Promise<boolean> {
    this.#givingUp ??= this.#giveUp().finally(() => {
      this.#givingUp = null
    })
    return this.#givingUp
  }

  async #make(sizeBytes: number): Promise<boolean> {
    this.#unwanted = false
    let file: DiskFile | null = null
    let whole = false
    try {
      file = await this.#disk.open(this.#path, { create: true })
      // One piece serves them all: fresh ones would be 16 MB of memory that an idle broker does not get back.
      const piece = this.#random.bytes(pieceBytes)
      for (let at = 0; at < sizeBytes && !this.#unwanted; at += pieceBytes) {
        numberBlocks(piece, at)
        await file.write([piece], at)
      }
      await file.sync()
      whole = !this.#unwanted
    } catch (error) {
      if (!isNoRoom(error)) throw error
    } finally {
      await file?.close()
      if (!whole) await this.#disk.remove(this.#path)
    }
    this.#isThere = whole
    if (whole) this.#use.found(this.#path, sizeBytes)
    return whole
  }

  async #giveUp(): Promise<boolean> {
    this.#unwanted = true
    try {
      const making = this.#making
      if (making !== null) return !(await making) || (await this.#remove())
      return this.#isThere && (await this.#remove())
    } catch {
      // The disk's fault shows where it matters: the write that asked for room fails as it did.
      return false
    }
  }

  async #remove(): Promise<boolean> {
    this.#isThere = false
    await this.#disk.remove(this.#path)
    this.#use.removed(this.#path)
    return true
  }
}

/** Makes every block of a piece unlike all others of the file: it begins with its place. */
function numberBlocks(piece: Uint8Array, position: number): void {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
  for (let at = 0; at < piece.length; at += blockBytes) view.setUint32(at, position + at)
}
