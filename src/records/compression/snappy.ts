// Snappy in the two framings clients send: the block stream of xerial's Java library (a 16-byte header, then blocks of length and
// data), which Kafka itself writes, and one bare block (kafka-go, older librdkafka).

import { onDemand } from '../../lib/on-demand.ts'
import { readUnsignedVarint } from '../../lib/varint.ts'
import { readInt32, writeInt32 } from '../big-endian.ts'
import { malformed, tooLarge } from './decompression-error.ts'

const snappy = onDemand((require) => require('snappy') as typeof import('snappy'))

/** 0x82 "SNAPPY" 0x00, then version 1 and oldest compatible version 1. */
const streamHeader = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
const magicBytes = 8
/** Uncompressed bytes per block: xerial's default, which its readers are tuned to. */
const blockBytes = 32 * 1024

/** Writes xerial's block stream, which every client reads. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const { compressSync } = snappy()
  const parts: Uint8Array[] = [streamHeader]
  let size = streamHeader.length
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compressSync(bytes.subarray(at, at + blockBytes))
    const length = new Uint8Array(4)
    writeInt32(length, 0, block.length)
    parts.push(length, block)
    size += 4 + block.length
  }
  return Buffer.concat(parts, size)
}

export function decompressSnappy(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  if (!hasMagicAt(bytes, 0)) {
    return unpackBlock(bytes, unpackedLengthOf(bytes) > maxOutputBytes, maxOutputBytes)
  }
  const blocks: Uint8Array[] = []
  let size = 0
  let at = 0
  while (at < bytes.length) {
    // A stream may follow a stream, as when two were concatenated.
    if (hasMagicAt(bytes, at)) {
      at += streamHeader.length
      if (at > bytes.length) throw malformed('snappy')
      continue
    }
    if (bytes.length - at < 4) throw malformed('snappy')
    const length = readInt32(bytes, at)
    at += 4
    if (length <= 0 || length > bytes.length - at) throw malformed('snappy')
    const block = bytes.subarray(at, at + length)
    size += unpackedLengthOf(block)
    blocks.push(unpackBlock(block, size > maxOutputBytes, maxOutputBytes))
    at += length
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, size)
}

function unpackBlock(block: Uint8Array, isTooLarge: boolean, maxOutputBytes: number): Uint8Array {
  if (isTooLarge) throw tooLarge('snappy', maxOutputBytes)
  const { uncompressSync } = snappy()
  try {
    return uncompressSync(block) as Buffer
  } catch (error) {
    throw malformed('snappy', error)
  }
}

/** What a block declares to unpack to: its first field. The library refuses a block that unpacks to anything else. */
function unpackedLengthOf(block: Uint8Array): number {
  try {
    return readUnsignedVarint({ bytes: block, at: 0, end: block.length })
  } catch (error) {
    throw malformed('snappy', error)
  }
}

function hasMagicAt(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < magicBytes) return false
  for (let i = 0; i < magicBytes; i++) if (bytes[at + i] !== streamHeader[i]) return false
  return true
}
