// Zstandard, as in RFC 8878: one frame, as all clients write it. node:zlib ignores what follows the first frame; records that were
// there are then missing from the declared count, and the batch is refused.

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { unpackWithZlib } from './zlib-bound.ts'

const levelDefault = 3

/** `level` is -131072 to 22 (`compression.zstd.level`). */
export function compressZstd(bytes: Uint8Array, level = levelDefault): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

export function decompressZstd(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  return unpackWithZlib('zstd', zstdDecompressSync, bytes, maxOutputBytes)
}
