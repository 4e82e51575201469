// Walks the batches of a segment's file from front to back, a window at a time.

import { baseOffsetOf, computedCrcOf, crcOf, lastOffsetDeltaOf, nextOffsetOf, sizeInBytesOf } from '../records/batch.ts'
import { wholeBatchAt } from '../records/batches-in.ts'
import type { PooledFile } from './file-handles.ts'
import type { Offset } from './partition-log.ts'

const windowBytes = 1 << 20

export type Damage = 'torn' | 'badLength' | 'badMagic' | 'badChecksum' | 'badOffset'

export interface Scanned {
  /** Position after the last good batch that was visited. */
  readonly position: number
  /** Offset after it; the expected one when nothing was visited. */
  readonly nextOffset: Offset
  /** What stopped the walk before its end; null: nothing, or the visitor. */
  readonly damage: Damage | null
}

export interface ScanOptions {
  readonly from: number
  readonly to: number
  /** The first batch may not begin below it, nor any batch below the end of the one before. */
  readonly expectedOffset: Offset
  /** No batch may reach it. */
  readonly endOffset?: Offset
  readonly verifyChecksums: boolean
}

/**
 * Calls `visit` for each good batch: `bytes` is only valid during the call, the batch lies whole at `at`, and at `position` of the file.
 * `visit` may answer `false` to stop before its batch. Rejects only with the disk's faults.
 */
export async function scanBatches(
  file: PooledFile,
  options: ScanOptions,
  visit: (bytes: Uint8Array, at: number, size: number, position: number) => boolean | void,
): Promise<Scanned> {
  const { from, to, verifyChecksums, endOffset = Infinity } = options
  let window = Buffer.allocUnsafe(Math.min(windowBytes, Math.max(0, to - from)))
  let position = from
  let nextOffset = options.expectedOffset
  while (position < to) {
    const wanted = Math.min(window.length, to - position)
    const length = await file.read(window.subarray(0, wanted), position)
    let at = 0
    while (at < length) {
      const state = wholeBatchAt(window, at, length)
      if (state === 'torn') break
      if (state !== 'whole') return { position: position + at, nextOffset, damage: state }
      const size = sizeInBytesOf(window, at)
      const next = nextOffsetOf(window, at)
      if (baseOffsetOf(window, at) < nextOffset || lastOffsetDeltaOf(window, at) < 0 || next > endOffset) {
        return { position: position + at, nextOffset, damage: 'badOffset' }
      }
      if (verifyChecksums && crcOf(window, at) !== computedCrcOf(window, at)) {
        return { position: position + at, nextOffset, damage: 'badChecksum' }
      }
      if (visit(window, at, size, position + at) === false) return { position: position + at, nextOffset, damage: null }
      at += size
      nextOffset = next
    }
    const fileEnds = length < wanted || position + length >= to
    position += at
    if (at === length && length > 0) continue
    if (fileEnds) return { position, nextOffset, damage: 'torn' }
    // A batch goes on beyond the window. It begins the next one, which must hold it whole.
    if (at === 0) {
      const size = sizeInBytesOf(window)
      if (position + size > to) return { position, nextOffset, damage: 'torn' }
      window = Buffer.allocUnsafe(size)
    }
  }
  return { position, nextOffset, damage: null }
}
