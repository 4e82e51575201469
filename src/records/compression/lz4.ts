// LZ4 frames. The library packs and unpacks; its decoder has no bound on the output, so the frame is measured first: each block's
// length follows from its sequences, without unpacking it.

import { onDemand } from '../../lib/on-demand.ts'
import { malformed, tooLarge } from './decompression-error.ts'

const lz4 = onDemand((require) => require('lz4-napi') as typeof import('lz4-napi'))

const frameMagic = 0x184d2204
const endMark = 0
const flag = {
  version: 0b1100_0000,
  blockChecksum: 0b1_0000,
  contentSize: 0b1000,
  contentChecksum: 0b100,
  dictionary: 0b1,
}
const version01 = 0b0100_0000
const uncompressedBlock = 0x8000_0000
/** Length codes of a sequence: 15 means that more bytes of length follow, a match is at least 4 bytes. */
const lengthEscape = 15
const matchBytesMin = 4

/** Writes one frame of version 01 with independent blocks, 64 KB to 4 MB as the input is large: what Java's reader requires. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  return lz4().compressFrameSync(asBuffer(bytes))
}

export function decompressLz4(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const frame = measureFrame(bytes, maxOutputBytes)
  const { decompressFrameSync } = lz4()
  try {
    return decompressFrameSync(asBuffer(bytes.subarray(0, frame)))
  } catch (error) {
    throw malformed('lz4', error)
  }
}

/** Returns where the first frame ends; what follows is ignored, as Java's reader does. Throws if it unpacks to more than `maxOutputBytes`. */
function measureFrame(bytes: Uint8Array, maxOutputBytes: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 7 || view.getUint32(0, true) !== frameMagic) throw malformed('lz4')
  const flags = bytes[4]!
  const blockBytesMax = blockBytesMaxOf(bytes[5]!)
  if ((flags & flag.version) !== version01 || blockBytesMax === undefined) throw malformed('lz4')
  if ((flags & flag.dictionary) !== 0) throw malformed('lz4')
  let at = 7 + ((flags & flag.contentSize) === 0 ? 0 : 8)
  let unpacked = 0
  for (;;) {
    if (bytes.length - at < 4) throw malformed('lz4')
    const field = view.getUint32(at, true)
    at += 4
    if (field === endMark) break
    const isUncompressed = field >= uncompressedBlock
    const length = isUncompressed ? field - uncompressedBlock : field
    if (length > bytes.length - at) throw malformed('lz4')
    const size = isUncompressed ? length : unpackedLengthOf(bytes, at, at + length)
    if (size > blockBytesMax) throw malformed('lz4')
    unpacked += size
    if (unpacked > maxOutputBytes) throw tooLarge('lz4', maxOutputBytes)
    at += length + ((flags & flag.blockChecksum) === 0 ? 0 : 4)
  }
  if ((flags & flag.contentChecksum) !== 0) at += 4
  if (at > bytes.length) throw malformed('lz4')
  return at
}

/** What the block in `[at, end)` unpacks to: a row of sequences, each some literal bytes and a match; the last has no match. */
function unpackedLengthOf(bytes: Uint8Array, at: number, end: number): number {
  let unpacked = 0
  while (at < end) {
    const token = bytes[at++]!
    let literals = token >> 4
    if (literals === lengthEscape) {
      let more: number
      do {
        if (at >= end) throw malformed('lz4')
        more = bytes[at++]!
        literals += more
      } while (more === 255)
    }
    at += literals
    unpacked += literals
    if (at >= end) break
    at += 2
    let match = token & 0b1111
    if (match === lengthEscape) {
      let more: number
      do {
        if (at >= end) throw malformed('lz4')
        more = bytes[at++]!
        match += more
      } while (more === 255)
    }
    unpacked += match + matchBytesMin
  }
  if (at !== end) throw malformed('lz4')
  return unpacked
}

/** 64 KB, 256 KB, 1 MB or 4 MB. */
function blockBytesMaxOf(descriptor: number): number | undefined {
  const code = (descriptor >> 4) & 0b111
  return code < 4 ? undefined : 2 ** (8 + 2 * code)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
