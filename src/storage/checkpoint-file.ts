// Kafka's text checkpoints: a version line (0), the number of entries, then one entry per line, fields separated by spaces.
// They are replaced whole, so a reader finds an old or a new one, never a mixture.

import type { Offset } from './partition-log.ts'

const version = '0'

/** The file is there and is not a checkpoint: someone else wrote it, or the disk lost it. */
export class CheckpointFormatError extends Error {
  override readonly name = 'CheckpointFormatError'
}

export function encodeCheckpoint(entries: readonly string[]): Uint8Array {
  return Buffer.from([version, entries.length, ...entries, ''].join('\n'))
}

/** The fields of each entry. Throws `CheckpointFormatError`. */
export function decodeCheckpoint(bytes: Uint8Array): string[][] {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split('\n')
  if (lines[0]?.trim() !== version) throw new CheckpointFormatError(`unknown checkpoint version "${lines[0] ?? ''}"`)
  const count = wholeNumber(lines[1])
  const entries = lines.slice(2).filter((line) => line.trim() !== '')
  if (count !== entries.length) {
    throw new CheckpointFormatError(`${entries.length} entries where ${lines[1] ?? 'nothing'} was announced`)
  }
  return entries.map((entry) => entry.trim().split(/\s+/))
}

/** One offset for each partition of a data folder; the key is `<topic>-<partition>`. */
export type OffsetCheckpoint = Map<string, Offset>

/** `topic partition offset`: the line of one log. */
export function offsetEntry(name: string, offset: Offset): string {
  const dash = name.lastIndexOf('-')
  return `${name.slice(0, dash)} ${name.slice(dash + 1)} ${offset}`
}

/** Throws `CheckpointFormatError`. */
export function decodeOffsetCheckpoint(bytes: Uint8Array): OffsetCheckpoint {
  const offsets: OffsetCheckpoint = new Map()
  for (const fields of decodeCheckpoint(bytes)) {
    const [topic, partition, offset] = fields
    if (fields.length !== 3) throw new CheckpointFormatError(`"${fields.join(' ')}" is not topic, partition and offset`)
    offsets.set(`${topic}-${wholeNumber(partition)}`, wholeNumber(offset))
  }
  return offsets
}

/** Throws `CheckpointFormatError` unless the text is a whole number from 0 to 2^53 - 1. */
export function wholeNumber(text: string | undefined): number {
  const number = /^\d{1,16}$/.test(text?.trim() ?? '') ? Number(text) : NaN
  if (!Number.isSafeInteger(number)) throw new CheckpointFormatError(`"${text ?? ''}" is not a whole number`)
  return number
}
