// gzip, as in RFC 1952. Several members back to back are one stream.

import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { unpackWithZlib } from './zlib-bound.ts'

/** `level` is 1 to 9, or -1 for zlib's own default (`compression.gzip.level`). */
export function compressGzip(bytes: Uint8Array, level: number = constants.Z_DEFAULT_COMPRESSION): Uint8Array {
  return gzipSync(bytes, { level })
}

export function decompressGzip(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  return unpackWithZlib('gzip', gunzipSync, bytes, maxOutputBytes)
}
