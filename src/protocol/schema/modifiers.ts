// What is said about a field beyond its type: the versions that have it, whether it may be null, its default, its tag.
// Each wraps a type and answers in its place: `since(15, ignorable(tagged(1, replicaState)))`.

import { EncodeError } from './errors.ts'
import { ignorablyLacking, leniently, strictlyLacking } from './lacking.ts'
import type { Codec, NullableType, Type } from './type.ts'

/** The field is there from `version` on. */
export function since<T>(version: number, type: Type<T>): Type<T> {
  return between(version, Infinity, type)
}

/** The field is there up to `version`, which still has it. */
export function until<T>(version: number, type: Type<T>): Type<T> {
  return between(0, version, type)
}

/** The field is there from `first` to `last`, both included. */
export function between<T>(first: number, last: number, type: Type<T>): Type<T> {
  return {
    absent: type.absent,
    isAbsent: (value) => type.isAbsent(value),
    at: (wire) =>
      wire.version >= first && wire.version <= last
        ? type.at(wire)
        : wire.lenient
          ? leniently(type.lacking)
          : type.lacking,
    lacking: type.lacking,
  }
}

/** A version that lacks the field drops its value. Otherwise setting it there is an error of the writer. */
export function ignorable<T>(type: Type<T>): Type<T> {
  return { ...type, lacking: ignorablyLacking(type) }
}

/** Another default than the type's own. */
export function withDefault<T>(type: Type<T>, absent: NoInfer<T>): Type<T> {
  const isAbsent = (value: T) => value === absent
  return { ...type, absent, isAbsent, lacking: strictlyLacking({ absent, isAbsent }) }
}

/** Null is a value, and the default. */
export function nullable<T>(type: NullableType<T>): Type<T | null> {
  const isAbsent = (value: T | null) => value === null
  return {
    absent: null,
    isAbsent,
    at: (wire) => type.orNull(wire),
    lacking: strictlyLacking<T | null>({ absent: null, isAbsent }),
  }
}

/** Null is a value from `version` on; the default is the type's own. */
export function nullableSince<T>(version: number, type: NullableType<T>): Type<T | null> {
  const isAbsent = (value: T | null) => value !== null && type.isAbsent(value)
  return {
    absent: type.absent,
    isAbsent,
    at: (wire) => (wire.version >= version ? type.orNull(wire) : refusingNull(type.at(wire))),
    lacking: strictlyLacking<T | null>({ absent: type.absent, isAbsent }),
  }
}

/** Null is a value, but the default is the type's own: empty. */
export function emptyOrNull<T>(type: NullableType<T>): Type<T | null> {
  return nullableSince(0, type)
}

function refusingNull<T>(codec: Codec<T>): Codec<T | null> {
  return {
    ...codec,
    write: (writer, value) => {
      if (value === null) throw new EncodeError('null, which this version does not allow')
      codec.write(writer, value)
    },
  }
}

/** In the tag section under `tag`, and left out when it is the default. Only in flexible versions. */
export function tagged<T>(tag: number, type: Type<T>, absent: NoInfer<T> = type.absent): Type<T> {
  const base = absent === type.absent ? type : withDefault(type, absent)
  return { ...base, at: (wire) => ({ ...base.at({ ...wire, tagged: true }), tag }) }
}
