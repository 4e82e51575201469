// Messages that are stored or sent inside another one's bytes, with their version in front as an int16.

import { DecodeError } from './errors.ts'
import { message } from './message.ts'
import type { Message, Versions } from './message.ts'
import { WireReader } from './reader.ts'
import type { Codec, Fields, InputOf, StructOf } from './type.ts'
import { WireWriter } from './writer.ts'

export interface Versioned<T> extends Message<T> {
  /** A copy of its own. In the latest version unless told otherwise. Throws `EncodeError`. */
  encode(value: InputOf<T>, version?: number): Uint8Array
  /** Byte fields are views of `bytes`. Throws `DecodeError`, also for a version there is no definition of. */
  decode(bytes: Uint8Array): T
}

/** The value of a versioned message or the key or value of a record. */
export type DecodedOf<M> = M extends Message<infer T> ? T : never

const writer = new WireWriter()

export function versioned<const F extends Fields>({
  readsLaterVersions = false,
  ...definition
}: Versions & {
  readonly fields: F
  /** A later version is read as the latest known, and what is left over is ignored: it may only add fields at the end. */
  readonly readsLaterVersions?: boolean
}): Versioned<StructOf<F>> {
  const base = message(definition)
  const [oldest, latest] = base.versions
  return {
    ...base,
    encode: (value, version = latest) => encodePrefixed(version, base.at(version), value),
    decode: (bytes) => {
      const reader = new WireReader(bytes)
      const version = reader.int16()
      const isLater = readsLaterVersions && version > latest
      if (version < oldest || (version > latest && !isLater)) throw new DecodeError(`unknown version ${version}`, 0)
      const value = base.at(isLater ? latest : version).read(reader)
      if (!isLater) reader.finish()
      return value
    },
  }
}

/** An int16, then the message, as a copy of its own. */
export function encodePrefixed(prefix: number, codec: Codec<unknown>, value: unknown): Uint8Array {
  writer.begin()
  try {
    writer.int16(prefix)
    codec.write(writer, value)
    return writer.endAsCopy()
  } catch (error) {
    writer.abandon()
    throw error
  }
}
