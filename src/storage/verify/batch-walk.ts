// Walks the batches of a segment's file to check them, a small window at a time: for `odradek verify`, and for the scrub, which lets
// others run between two windows. A batch larger than the window is checked in pieces, so that memory stays bounded by the window,
// whatever a damaged length says.

import { crc32c } from '../../lib/crc32c.ts'
import {
  baseOffsetOf,
  batchHeaderBytes,
  batchLayout,
  codecOf,
  crcOf,
  isControl,
  lastOffsetDeltaOf,
  nextOffsetOf,
  recordsCountOf,
  sizeInBytesOf,
} from '../../records/batch.ts'
import { wholeBatchAt } from '../../records/batches-in.ts'
import type { Offset } from '../partition-log.ts'

export type BatchProblem = 'torn' | 'badLength' | 'badMagic' | 'badOffset' | 'badChecksum' | 'badCount' | 'badCodec'

export const problemWords: Readonly<Record<BatchProblem, string>> = {
  torn: 'the last batch is cut short',
  badLength: 'the length field makes no batch',
  badMagic: 'the magic byte is not 2',
  badOffset: 'the offsets do not fit the batches before it, or the segment',
  badChecksum: 'the checksum does not match the bytes',
  badCount: 'the number of records does not fit the offsets',
  badCodec: 'the compression codec does not exist',
}

export interface BatchDamage {
  readonly problem: BatchProblem
  readonly position: number
  /** The first offset that cannot be trusted. */
  readonly offset: Offset
  /** Where the batch ends by its own header, which may be what is wrong; Infinity when it has none that makes sense. */
  readonly endOffset: Offset
}

export interface WalkedFile {
  /** As `DiskFile.read`. */
  read(into: Uint8Array, position: number): Promise<number>
}

export interface WalkOptions {
  readonly from: number
  readonly to: number
  /** No batch may begin below it. */
  readonly expectedOffset: Offset
  /** No batch may reach it. */
  readonly endOffset: Offset
  /** The walk ends, with nothing wrong, before a batch that reaches beyond it. */
  readonly stopOffset?: Offset
  /** Batches larger than the window are shown whole, too, once their checksum is known to be right. */
  readonly whole?: boolean
}

/**
 * Told of each good batch. `bytes` is only valid during the call. The batch lies at `at`: whole when it is a control batch, fits the
 * window or is wanted whole, else its header.
 */
export type BatchVisitor = (bytes: Uint8Array, at: number, size: number, position: number) => void

export class BatchWalk {
  /** Where the next batch begins; the end of the last good one. */
  position: number
  nextOffset: Offset
  damage: BatchDamage | null = null
  readonly #file: WalkedFile
  readonly #window: Buffer
  readonly #options: WalkOptions
  readonly #visit: BatchVisitor
  #stopped = false
  /** Of the batch that is larger than the window: how many of its bytes are checked, and their checksum. */
  #checkedBytes = 0
  #crc = 0
  #header = Buffer.alloc(0)

  /** `window`: at least 61 bytes; its content is the walk's until it is done. */
  constructor(file: WalkedFile, window: Buffer, options: WalkOptions, visit: BatchVisitor) {
    this.#file = file
    this.#window = window
    this.#options = options
    this.#visit = visit
    this.position = options.from
    this.nextOffset = options.expectedOffset
  }

  get done(): boolean {
    return this.#stopped || this.damage !== null || this.position >= this.#options.to
  }

  /** Reads and checks one window; answers how many bytes were read. Rejects with the disk's faults. */
  async step(): Promise<number> {
    const from = this.position + this.#checkedBytes
    const limit = this.#checkedBytes > 0 ? this.position + sizeInBytesOf(this.#header) : this.#options.to
    const wanted = Math.min(this.#window.length, limit - from)
    const length = await this.#file.read(this.#window.subarray(0, wanted), from)
    if (this.#checkedBytes > 0) return this.#goOn(length, wanted)
    const at = this.#checkWindow(length)
    if (this.done || at > 0) {
      // A batch that goes on beyond the window begins the next one.
      if (!this.done && length < wanted) this.#fail('torn')
      return length
    }
    if (length < wanted || this.position + length >= this.#options.to) this.#fail('torn')
    else this.#begin(length)
    return length
  }

  /** Checks the whole batches of the window; answers where the first that is not whole begins. */
  #checkWindow(length: number): number {
    const window = this.#window
    let at = 0
    while (at < length) {
      const state = wholeBatchAt(window, at, length)
      if (state === 'torn') break
      if (state !== 'whole') {
        this.#fail(state)
        break
      }
      const size = sizeInBytesOf(window, at)
      if (!this.#headerFits(window, at)) break
      if (crcOf(window, at) !== crc32c(window.subarray(at + batchLayout.attributes, at + size))) {
        this.#fail('badChecksum', nextOffsetOf(window, at))
        break
      }
      if (!this.#contentFits(window, at)) break
      this.#visit(window, at, size, this.position)
      this.position += size
      this.nextOffset = nextOffsetOf(window, at)
      at += size
    }
    return at
  }

  /** The window is the beginning of one batch. */
  #begin(length: number): void {
    const window = this.#window
    if (this.position + sizeInBytesOf(window) > this.#options.to) {
      this.#fail('torn')
      return
    }
    if (!this.#headerFits(window, 0)) return
    this.#header = Buffer.from(window.subarray(0, batchHeaderBytes))
    this.#crc = crc32c(window.subarray(batchLayout.attributes, length))
    this.#checkedBytes = length
  }

  async #goOn(length: number, wanted: number): Promise<number> {
    const header = this.#header
    const size = sizeInBytesOf(header)
    this.#crc = crc32c(this.#window.subarray(0, length), this.#crc)
    this.#checkedBytes += length
    if (length < wanted) {
      this.#fail('torn')
    } else if (this.#checkedBytes === size) {
      this.#checkedBytes = 0
      if (this.#crc !== crcOf(header)) this.#fail('badChecksum', nextOffsetOf(header))
      else if (this.#contentFits(header, 0)) {
        // Its length is under the checksum's protection now: it may take as much memory as it says.
        const isWhole = this.#options.whole === true || isControl(header)
        this.#visit(isWhole ? await this.#readWhole(size) : header, 0, size, this.position)
        this.position += size
        this.nextOffset = nextOffsetOf(header)
      }
    }
    return length
  }

  async #readWhole(size: number): Promise<Buffer> {
    const batch = Buffer.allocUnsafe(size)
    await this.#file.read(batch, this.position)
    return batch
  }

  #headerFits(bytes: Uint8Array, at: number): boolean {
    const { endOffset, stopOffset = Infinity } = this.#options
    const next = nextOffsetOf(bytes, at)
    const baseOffset = baseOffsetOf(bytes, at)
    if (baseOffset < this.nextOffset || lastOffsetDeltaOf(bytes, at) < 0 || next > endOffset) {
      this.#fail('badOffset')
      return false
    }
    this.#stopped = next > stopOffset
    return !this.#stopped
  }

  #contentFits(bytes: Uint8Array, at: number): boolean {
    const count = recordsCountOf(bytes, at)
    const end = nextOffsetOf(bytes, at)
    if (count < 0 || count > lastOffsetDeltaOf(bytes, at) + 1) this.#fail('badCount', end)
    else if (codecOf(bytes, at) === undefined) this.#fail('badCodec', end)
    return this.damage === null
  }

  #fail(problem: BatchProblem, endOffset = Infinity): void {
    this.damage = { problem, position: this.position, offset: this.nextOffset, endOffset }
  }
}
