// A record of a coordinator's topic. The key is an int16 that says what kind of record it is, then the key message;
// the value is an int16 version, then the value message. A record without a value deletes its key.

import { DecodeError } from './errors.ts'
import { message } from './message.ts'
import type { Message, Versions } from './message.ts'
import { WireReader } from './reader.ts'
import type { Fields, InputOf, StructOf } from './type.ts'
import { encodePrefixed, versioned } from './versioned.ts'
import type { Versioned } from './versioned.ts'

export interface RecordType<K, V> {
  /** What the key begins with. Unique within its topic. */
  readonly type: number
  readonly name: string
  readonly key: Message<K>
  readonly value: Versioned<V>
  encodeKey(key: InputOf<K>): Uint8Array
  /** Throws `DecodeError`, also for the key of another type. */
  decodeKey(bytes: Uint8Array): K
  /** In the latest version unless told otherwise. */
  encodeValue(value: InputOf<V>, version?: number): Uint8Array
  decodeValue(bytes: Uint8Array): V
}

export type AnyRecordType = RecordType<object, object>
export type RecordKeyOf<R> = R extends RecordType<infer K, infer _V> ? K : never
export type RecordValueOf<R> = R extends RecordType<infer _K, infer V> ? V : never

export function record<const K extends Fields, const V extends Fields>({
  type,
  name,
  key: keyFields,
  value: valueDefinition,
}: {
  readonly type: number
  readonly name: string
  readonly key: K
  readonly value: Versions & { readonly fields: V }
}): RecordType<StructOf<K>, StructOf<V>> {
  const key = message({ versions: [0, 0], fields: keyFields })
  const value = versioned(valueDefinition)
  return {
    type,
    name,
    key,
    value,
    encodeKey: (input) => encodePrefixed(type, key.at(0), input),
    decodeKey: (bytes) => {
      const reader = new WireReader(bytes)
      const found = reader.int16()
      if (found !== type) throw new DecodeError(`key of type ${found}, not of ${name}, ${type}`, 0)
      const decoded = key.at(0).read(reader)
      reader.finish()
      return decoded
    },
    encodeValue: (input, version) => value.encode(input, version),
    decodeValue: (bytes) => value.decode(bytes),
  }
}

/** The kind of record a key stands for. Throws `DecodeError` when there is not even that. */
export function recordTypeOf(key: Uint8Array): number {
  return new WireReader(key).int16()
}
