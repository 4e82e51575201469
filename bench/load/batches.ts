// The batches that are sent: built once, of text that compresses to about half, the same in every run.

import { batchHeaderBytes } from '../../src/records/batch.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import type { Codec } from '../../src/records/codec.ts'
import type { BatchShape } from './load.ts'

/** The most that a record without key and headers takes beside its value. */
const recordOverheadBytes = 13
const textBytes = 4 * 1024 * 1024

export interface BuiltBatch {
  readonly records: number
  readonly bytes: Uint8Array
}

/** As many records as fit into `batchBytes` before compression, at least one. */
export function batchOf({ recordBytes, batchBytes, codec }: BatchShape): BuiltBatch {
  const fit = Math.floor((batchBytes - batchHeaderBytes) / (recordBytes + recordOverheadBytes))
  return batchOfRecords(Math.max(1, fit), recordBytes, codec)
}

export function batchOfRecords(records: number, recordBytes: number, codec: Codec = 'none'): BuiltBatch {
  const timestamp = Date.now()
  const values = Array.from({ length: records }, (_, index) => ({ value: valueOf(recordBytes, index), timestamp }))
  return { records, bytes: buildBatch(values, { codec }) }
}

let text: Uint8Array | null = null

function valueOf(bytes: number, index: number): Uint8Array {
  text ??= writtenText()
  const from = (index * bytes) % (textBytes - bytes)
  return text.subarray(from, from + bytes)
}

/** Words of a small vocabulary and numbers that do not come again. */
function writtenText(): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(textBytes)
  const random = numbersFrom(42)
  const words = Array.from({ length: 256 }, () =>
    random()
      .toString(36)
      .slice(0, 3 + (random() % 6)),
  )
  for (let at = 0; at < textBytes;) {
    const word = random() % 16 === 0 ? String(random()) : words[random() % words.length]!
    at += bytes.write(`${word} `, at, 'latin1')
  }
  return bytes
}

/** A linear congruential generator with the multiplier of Numerical Recipes; the upper bits are the good ones. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (Math.imul(state >>> 16, 65_521) ^ (state >>> 8)) >>> 0
  }
}
