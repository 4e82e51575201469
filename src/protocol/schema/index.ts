// The language the definitions are written in.

export { api } from './api.ts'
export type { AnyApi, Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from './api.ts'
export { array } from './array.ts'
export { DecodeError, decodedOrNull, EncodeError } from './errors.ts'
export { message } from './message.ts'
export type { Message, VersionRange, Versions } from './message.ts'
export {
  between,
  emptyOrNull,
  ignorable,
  nullable,
  nullableSince,
  since,
  tagged,
  until,
  withDefault,
} from './modifiers.ts'
export { bigint64, bool, errorCode, float64, int16, int32, int64, int8, uint16, uint32, uuid } from './primitives.ts'
export { WireReader } from './reader.ts'
export { record, recordTypeOf } from './record.ts'
export type { AnyRecordType, RecordKeyOf, RecordType, RecordValueOf } from './record.ts'
export { bytes, neverCompactString, records, string } from './sized.ts'
export { struct } from './struct.ts'
export type { Codec, Fields, FieldShape, InputOf, Shape, StructOf, Type, ValueOf, Wire } from './type.ts'
export { versioned } from './versioned.ts'
export type { DecodedOf, Versioned } from './versioned.ts'
export { WireWriter } from './writer.ts'
