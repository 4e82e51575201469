// Walking batches that lie back to back: a log segment's bytes, a fetch response, a produce request.

import { batchHeaderBytes, batchLayout, currentMagic, magicOf, sizeInBytesOf } from './batch.ts'

/**
 * How a range of batches ends: `whole`, or with bytes that make no batch. `torn`: the last batch is cut short (usual in a fetch
 * response and after a crash). `badLength`, `badMagic`: what is there cannot be a batch; nothing after it can be found.
 */
export type RangeEnd = 'whole' | 'torn' | 'badLength' | 'badMagic'

export interface BatchRange {
  /** Bytes of whole batches, from the start. */
  readonly validBytes: number
  readonly batches: number
  readonly end: RangeEnd
}

/**
 * Calls `visit` with the position and size of each whole batch in `[from, to)`, in order, and says how the range ends. Checks
 * bounds and magic, not checksums. `visit` may return `false` to stop: what is visited so far then counts as the whole range.
 */
export function forEachBatch(
  bytes: Uint8Array,
  visit: (at: number, size: number) => boolean | void,
  from = 0,
  to = bytes.length,
): BatchRange {
  let at = from
  let batches = 0
  while (at < to) {
    const end = wholeBatchAt(bytes, at, to)
    if (end !== 'whole') return { validBytes: at - from, batches, end }
    const size = sizeInBytesOf(bytes, at)
    const goOn = visit(at, size)
    at += size
    batches++
    if (goOn === false) break
  }
  return { validBytes: at - from, batches, end: 'whole' }
}

/** Each whole batch of `bytes` as a view. Stops silently at what is no batch: `forEachBatch` says how a range ends. */
export function* batchesIn(bytes: Uint8Array): Generator<Uint8Array, RangeEnd> {
  let at = 0
  while (at < bytes.length) {
    const end = wholeBatchAt(bytes, at, bytes.length)
    if (end !== 'whole') return end
    const size = sizeInBytesOf(bytes, at)
    yield bytes.subarray(at, at + size)
    at += size
  }
  return 'whole'
}

/** Whether a whole batch of the current magic starts at `at` and ends by `to`. Reads nothing beyond `to`. */
export function wholeBatchAt(bytes: Uint8Array, at: number, to: number): RangeEnd {
  const present = to - at
  if (present < batchLayout.leaderEpoch) return 'torn'
  const size = sizeInBytesOf(bytes, at)
  if (size < batchHeaderBytes) return 'badLength'
  if (present <= batchLayout.magic) return 'torn'
  if (magicOf(bytes, at) !== currentMagic) return 'badMagic'
  return size > present ? 'torn' : 'whole'
}
