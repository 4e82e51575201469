// Codecs for a field that a version does not have: nothing on the wire.

import { EncodeError } from './errors.ts'
import type { Codec, Type } from './type.ts'

/** Writes nothing, whatever the value. */
export const dropped = (): void => {}

/** Reads the default; refuses to write anything else, as Kafka does: the peer would never learn of it. */
export function strictlyLacking<T>(type: Pick<Type<T>, 'absent' | 'isAbsent'>): Codec<T> {
  return {
    read: () => type.absent,
    write: (_writer, value) => {
      if (!type.isAbsent(value)) throw new EncodeError('set in a version that lacks the field')
    },
    bytesMin: 0,
    shape: { kind: 'lacking', ignorable: false },
    lacking: true,
  }
}

/** Reads the default; drops whatever is written. */
export function ignorablyLacking<T>(type: Pick<Type<T>, 'absent'>): Codec<T> {
  return {
    read: () => type.absent,
    write: dropped,
    bytesMin: 0,
    shape: { kind: 'lacking', ignorable: true },
    lacking: true,
  }
}

/** In a response: one object stands for every version, so what this version lacks is left out. */
export function leniently<T>(lacking: Codec<T>): Codec<T> {
  return { ...lacking, write: dropped }
}
