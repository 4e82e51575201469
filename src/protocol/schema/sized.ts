// Types with a length before them: text, bytes and record batches. The length has a form for null.

import { strictlyLacking } from './lacking.ts'
import type { WireReader } from './reader.ts'
import type { Codec, NullableType, PrimitiveKind, Wire } from './type.ts'
import type { WireWriter } from './writer.ts'

/** The length of a string: an int16, or a varint one too high. Null is -1 either way. */
function readStringSize(reader: WireReader, compact: boolean): number {
  const size = compact ? reader.uvarint() - 1 : reader.int16()
  if (size < -1) reader.fail(`string of ${size} bytes`)
  return size
}

/** The length of bytes and records: an int32, or a varint one too high. Null is -1 either way. */
function readBytesSize(reader: WireReader, compact: boolean): number {
  const size = compact ? reader.uvarint() - 1 : reader.int32()
  if (size < -1) reader.fail(`${size} bytes`)
  return size
}

function writeBytesSize(writer: WireWriter, size: number, compact: boolean): void {
  if (compact) writer.uvarint(size + 1)
  else writer.int32(size)
}

/** The recipe shared by the three: `read` and `write` see a value; null is told apart here. */
function sized<T>(
  kind: PrimitiveKind,
  absent: T,
  isAbsent: (value: T) => boolean,
  prefix: { readonly bytes: number; read(reader: WireReader, compact: boolean): number },
  content: {
    read(reader: WireReader, size: number): T
    write(writer: WireWriter, value: T, compact: boolean): void
    writeNull(writer: WireWriter, compact: boolean): void
  },
  compactAt: (wire: Wire) => boolean,
): NullableType<T> {
  const codecs = [false, true].map((compact): Codec<T> => ({
    read: (reader) => {
      const size = prefix.read(reader, compact)
      return size < 0 ? reader.fail('null, which this version does not allow') : content.read(reader, size)
    },
    write: (writer, value) => content.write(writer, value, compact),
    bytesMin: compact ? 1 : prefix.bytes,
    shape: { kind, compact },
  }))
  const nullableCodecs = [false, true].map((compact): Codec<T | null> => ({
    read: (reader) => {
      const size = prefix.read(reader, compact)
      return size < 0 ? null : content.read(reader, size)
    },
    write: (writer, value) => {
      if (value === null) content.writeNull(writer, compact)
      else content.write(writer, value, compact)
    },
    bytesMin: compact ? 1 : prefix.bytes,
    shape: { kind: 'nullable', of: { kind, compact } },
  }))
  return {
    absent,
    isAbsent,
    at: (wire) => codecs[compactAt(wire) ? 1 : 0]!,
    orNull: (wire) => nullableCodecs[compactAt(wire) ? 1 : 0]!,
    lacking: strictlyLacking({ absent, isAbsent }),
  }
}

const flexibly = (wire: Wire): boolean => wire.flexible

function text(compactAt: (wire: Wire) => boolean): NullableType<string> {
  return sized(
    'string',
    '',
    (value) => value === '',
    { bytes: 2, read: readStringSize },
    {
      read: (reader, size) => reader.string(size),
      write: (writer, value, compact) => writer.string(value, compact),
      writeNull: (writer, compact) => (compact ? writer.uvarint(0) : writer.int16(-1)),
    },
    compactAt,
  )
}

/** UTF-8, at most 32767 bytes. */
export const string: NullableType<string> = text(flexibly)

/** A string with an int16 length in every version: the client id of a request header. */
export const neverCompactString: NullableType<string> = text(() => false)

/** Read as a view of the frame. Written by reference when longer than 1 KiB: leave it alone until it is sent. */
export const bytes: NullableType<Uint8Array> = sized<Uint8Array>(
  'bytes',
  Buffer.alloc(0),
  (value) => value.length === 0,
  { bytes: 4, read: readBytesSize },
  {
    read: (reader, size) => reader.view(size),
    write: (writer, value, compact) => {
      writeBytesSize(writer, value.length, compact)
      writer.raw(value)
    },
    writeNull: (writer, compact) => writeBytesSize(writer, -1, compact),
  },
  flexibly,
)

/**
 * Record batches. Read as one view of the frame; written from any number of chunks that stand for their concatenation,
 * by reference as `bytes` are. In Kafka the default of a field that may not be null is null, which cannot be
 * written; here it is empty.
 */
export const records: NullableType<readonly Uint8Array[]> = sized<readonly Uint8Array[]>(
  'records',
  [],
  (value) => value.length === 0,
  { bytes: 4, read: readBytesSize },
  {
    read: (reader, size) => [reader.view(size)],
    write: (writer, chunks, compact) => {
      let size = 0
      for (const chunk of chunks) size += chunk.length
      writeBytesSize(writer, size, compact)
      for (const chunk of chunks) writer.raw(chunk)
    },
    writeNull: (writer, compact) => writeBytesSize(writer, -1, compact),
  },
  flexibly,
)
