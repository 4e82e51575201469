// Packing and unpacking the records of a batch. Synchronous: a broker does it only for topics that need to see inside a batch
// (compaction, timestamp bounds, another `compression.type`), and then it holds the event loop for the batch, about 1 MB at most.

import type { Codec } from '../codec.ts'
import { compressGzip, decompressGzip } from './gzip.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

export interface Compression {
  /** `level` has the codec's own scale and default; codecs without levels ignore it. */
  compress(bytes: Uint8Array, level?: number): Uint8Array
  /** Throws `DecompressionError`: `malformed`, or `tooLarge` when the output would exceed `maxOutputBytes`. */
  decompress(bytes: Uint8Array, maxOutputBytes: number): Uint8Array
}

export type CompressedCodec = Exclude<Codec, 'none'>

export const compressions: Record<CompressedCodec, Compression> = {
  gzip: { compress: compressGzip, decompress: decompressGzip },
  snappy: { compress: compressSnappy, decompress: decompressSnappy },
  lz4: { compress: compressLz4, decompress: decompressLz4 },
  zstd: { compress: compressZstd, decompress: decompressZstd },
}

export function compress(codec: CompressedCodec, bytes: Uint8Array, level?: number): Uint8Array {
  return compressions[codec].compress(bytes, level)
}

export function decompress(codec: CompressedCodec, bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  return compressions[codec].decompress(bytes, maxOutputBytes)
}
