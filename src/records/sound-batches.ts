// Telling a torn tail from damage in a file of batches that is held in memory whole.

import { baseOffsetOf, batchHeaderBytes, batchLayout, computedCrcOf, crcOf, currentMagic } from './batch.ts'
import { wholeBatchAt } from './batches-in.ts'

/** Whether a whole batch with the right checksum lies at `at`. */
export function isSoundBatchAt(bytes: Uint8Array, at: number): boolean {
  return (
    at < bytes.length &&
    wholeBatchAt(bytes, at, bytes.length) === 'whole' &&
    crcOf(bytes, at) === computedCrcOf(bytes, at)
  )
}

/** Whether a sound batch of an offset from `offset` on lies anywhere behind `from`: then what is at `from` is no torn tail. */
export function hasSoundBatchAfter(bytes: Uint8Array, from: number, offset: number): boolean {
  for (let at = from + 1; at + batchHeaderBytes <= bytes.length; at++) {
    if (bytes[at + batchLayout.magic] !== currentMagic) continue
    const found = baseOffsetOf(bytes, at)
    if (found >= offset && Number.isSafeInteger(found) && isSoundBatchAt(bytes, at)) return true
  }
  return false
}
