// The idea of the language: a type is a recipe. Given a version it makes a codec, which reads and writes that version
// and nothing else. One value shape stands for every version: a field the version lacks is read as its default.

import type { WireReader } from './reader.ts'
import type { WireWriter } from './writer.ts'

/** What a recipe needs to know. */
export interface Wire {
  readonly version: number
  /** KIP-482: compact lengths, and a tag section after every struct. */
  readonly flexible: boolean
  /** The value is itself a tagged field: a struct that may be null then has another marker before it. */
  readonly tagged?: boolean
  /** Fields that the version lacks are left out when written, and not refused. */
  readonly lenient?: boolean
}

/** For what a value holds: being tagged is a matter of the value itself. */
export function inside({ version, flexible, lenient = false }: Wire): Wire {
  return { version, flexible, lenient }
}

export interface Codec<T> {
  /** Throws `DecodeError`. */
  read(reader: WireReader): T
  /** Throws `EncodeError`. */
  write(writer: WireWriter, value: T): void
  /** No value takes fewer bytes: bounds the count of an array before anything is allocated for it. */
  readonly bytesMin: number
  /** What this codec is, as data: for tests, documentation and tools. */
  readonly shape: Shape
  /** In the tag section under this number; undefined for a positional field. */
  readonly tag?: number
  /** This version lacks the field. */
  readonly lacking?: true
}

export interface Type<T> {
  /** The default: what a reader sees in versions that lack the field, and what an undefined field is written as. */
  readonly absent: T
  isAbsent(value: T): boolean
  at(wire: Wire): Codec<T>
  /** Stands in where a version lacks the field. Unless the type is ignorable, only the default can be written. */
  readonly lacking: Codec<T>
}

/** A type that has a form for null. */
export interface NullableType<T> extends Type<T> {
  orNull(wire: Wire): Codec<T | null>
}

export type PrimitiveKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bigint64'
  | 'uint16'
  | 'uint32'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export type Shape =
  | { readonly kind: PrimitiveKind; readonly compact?: boolean }
  | { readonly kind: 'array'; readonly compact: boolean; readonly of: Shape }
  | { readonly kind: 'struct'; readonly tagSection: boolean; readonly fields: readonly FieldShape[] }
  | { readonly kind: 'nullable'; readonly of: Shape }
  | { readonly kind: 'lacking'; readonly ignorable: boolean }

export interface FieldShape {
  readonly name: string
  readonly absent: unknown
  readonly tag: number | undefined
  readonly shape: Shape
}

export type Fields = Readonly<Record<string, Type<unknown>>>

/** The values of a type, of a struct: `{ readonly groupId: string, ... }`. */
export type ValueOf<T> = T extends Type<infer V> ? V : never
export type StructOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> }

/** What may be handed to a writer for `V`: every field of a struct may be left out and is then its default. */
export type InputOf<V> = V extends Uint8Array | string | number | bigint | boolean | null | undefined
  ? V
  : V extends readonly (infer E)[]
    ? readonly InputOf<E>[]
    : { readonly [K in keyof V]?: InputOf<V[K]> | undefined }
