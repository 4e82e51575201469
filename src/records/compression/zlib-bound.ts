// Unpacking through node:zlib with a bound on the output: zlib stops at the first chunk beyond it.

import type { ZlibOptions, ZstdOptions } from 'node:zlib'
import { malformed, tooLarge } from './decompression-error.ts'

const chunkBytesMin = 1024
const chunkBytesMax = 256 * 1024

export function unpackWithZlib(
  codec: 'gzip' | 'zstd',
  unpack: (bytes: Uint8Array, options: ZlibOptions & ZstdOptions) => Uint8Array,
  bytes: Uint8Array,
  maxOutputBytes: number,
): Uint8Array {
  // Output is collected in chunks: one that holds most batches at a blow, and is not out of proportion to the input.
  const chunkSize = Math.min(Math.max(bytes.length * 4, chunkBytesMin), chunkBytesMax)
  let output: Uint8Array
  try {
    output = unpack(bytes, { maxOutputLength: Math.max(maxOutputBytes, 1), chunkSize })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(codec, maxOutputBytes)
    throw malformed(codec, error)
  }
  if (output.length > maxOutputBytes) throw tooLarge(codec, maxOutputBytes)
  return output
}
