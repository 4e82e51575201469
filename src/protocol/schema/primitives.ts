// Types of fixed width. Numbers outside a type's range are refused, never wrapped.

import { ZERO_UUID } from '../../lib/uuid.ts'
import type { ErrorCode } from '../error-code.ts'
import { strictlyLacking } from './lacking.ts'
import type { Codec, PrimitiveKind, Type } from './type.ts'

function primitive<T>(
  kind: PrimitiveKind,
  bytes: number,
  absent: T,
  { read, write }: Pick<Codec<T>, 'read' | 'write'>,
): Type<T> {
  const codec: Codec<T> = { read, write, bytesMin: bytes, shape: { kind } }
  const isAbsent = (value: T) => value === absent
  return { absent, isAbsent, at: () => codec, lacking: strictlyLacking({ absent, isAbsent }) }
}

/** One byte; any but 0 is true. */
export const bool: Type<boolean> = primitive('bool', 1, false, {
  read: (reader) => reader.uint8() !== 0,
  write: (writer, value) => writer.bool(value),
})

export const int8: Type<number> = primitive('int8', 1, 0, {
  read: (reader) => reader.int8(),
  write: (writer, value) => writer.int8(value),
})

export const int16: Type<number> = primitive('int16', 2, 0, {
  read: (reader) => reader.int16(),
  write: (writer, value) => writer.int16(value),
})

/** An int16 that a handler can only fill with a code Kafka has. A peer may send any. */
export const errorCode: Type<ErrorCode> = primitive<ErrorCode>('int16', 2, 0, {
  read: (reader) => reader.int16() as ErrorCode,
  write: (writer, value) => writer.int16(value),
})

export const int32: Type<number> = primitive('int32', 4, 0, {
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int32(value),
})

/** 64 bits as a number, exact: a value beyond 2^53 is an error in both directions. */
export const int64: Type<number> = primitive('int64', 8, 0, {
  read: (reader) => reader.int64(),
  write: (writer, value) => writer.int64(value),
})

/** 64 bits as a bigint, for the few fields in which a client may send any of them. */
export const bigint64: Type<bigint> = primitive('bigint64', 8, 0n, {
  read: (reader) => reader.bigint64(),
  write: (writer, value) => writer.bigint64(value),
})

export const uint16: Type<number> = primitive('uint16', 2, 0, {
  read: (reader) => reader.uint16(),
  write: (writer, value) => writer.uint16(value),
})

export const uint32: Type<number> = primitive('uint32', 4, 0, {
  read: (reader) => reader.uint32(),
  write: (writer, value) => writer.uint32(value),
})

export const float64: Type<number> = primitive('float64', 8, 0, {
  read: (reader) => reader.float64(),
  write: (writer, value) => writer.float64(value),
})

/** 16 bytes, as 22 characters of base64url: `lib/uuid.ts`. */
export const uuid: Type<string> = primitive('uuid', 16, ZERO_UUID, {
  read: (reader) => reader.uuid(),
  write: (writer, value) => writer.uuid(value),
})
