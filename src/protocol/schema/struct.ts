// Fields in order, and in flexible versions a section of tagged fields after them (KIP-482). Every field is there in
// every version's values, in the same order, so that all of them share one hidden class.

import { assertIdentifier, compile } from './compile.ts'
import { within } from './errors.ts'
import { dropped, strictlyLacking } from './lacking.ts'
import { inside } from './type.ts'
import type { Codec, Fields, FieldShape, NullableType, Shape, StructOf, Type, Wire } from './type.ts'

interface Field {
  readonly name: string
  readonly type: Type<unknown>
  readonly codec: Codec<unknown>
}

export function struct<const F extends Fields>(fields: F): NullableType<StructOf<F>> {
  const entries = Object.entries(fields)
  for (const [name] of entries) assertIdentifier(name)
  const absent = Object.fromEntries(entries.map(([name, type]) => [name, type.absent])) as StructOf<F>
  const isAbsent = (value: StructOf<F>): boolean =>
    value === absent || entries.every(([name, type]) => value[name] === undefined || type.isAbsent(value[name]))
  const at = (wire: Wire) => structCodec<StructOf<F>>(entries, inside(wire))
  return {
    absent,
    isAbsent,
    at,
    orNull: (wire) => (wire.tagged === true ? taggedOrNull(at(wire)) : orNull(at(wire))),
    lacking: strictlyLacking({ absent, isAbsent }),
  }
}

function structCodec<T>(entries: readonly (readonly [string, Type<unknown>])[], wire: Wire): Codec<T> {
  const fields: Field[] = entries.map(([name, type]) => ({ name, type, codec: type.at(wire) }))
  const tagged = fields
    .filter(({ codec }) => codec.tag !== undefined)
    .toSorted((one, other) => one.codec.tag! - other.codec.tag!)
  if (tagged.length > 0 && !wire.flexible) throw new TypeError(`tagged field in version ${wire.version}, not flexible`)
  const positional = fields.filter(({ codec }) => codec.tag === undefined && codec.lacking === undefined)

  const values: Record<string, unknown> = { within, names: [...fields.map(({ name }) => name), 'tags'] }
  fields.forEach(({ type, codec }, index) => {
    values[`type${index}`] = type
    values[`codec${index}`] = codec
    values[`absent${index}`] = type.absent
  })
  const place = new Map(fields.map((field, index) => [field, index]))
  const shape: Shape = {
    kind: 'struct',
    tagSection: wire.flexible,
    fields: fields.map(({ name, type, codec }): FieldShape => ({
      name,
      absent: type.absent,
      tag: codec.tag,
      shape: codec.shape,
    })),
  }
  return {
    ...(compile(
      values,
      `{
        read(reader) {
          let at = 0
          try {
            ${fields.map((field, index) => readSource(field, index)).join('\n')}
            ${wire.flexible ? readTagsSource(tagged, place, fields.length) : ''}
            return { ${fields.map(({ name }, index) => `${name}: value${index}`).join(', ')} }
          } catch (error) {
            throw within(error, names[at])
          }
        },
        write(writer, struct) {
          let at = 0
          try {
            ${fields.map((field, index) => writeSource(field, index)).join('\n')}
            ${wire.flexible ? writeTagsSource(tagged, place) : ''}
          } catch (error) {
            throw within(error, names[at])
          }
        },
      }`,
    ) as Pick<Codec<T>, 'read' | 'write'>),
    bytesMin: positional.reduce((sum, { codec }) => sum + codec.bytesMin, wire.flexible ? 1 : 0),
    shape,
  }
}

function readSource({ codec }: Field, index: number): string {
  if (codec.tag !== undefined) return `let value${index} = absent${index}`
  if (codec.lacking) return `const value${index} = absent${index}`
  return `at = ${index}; const value${index} = codec${index}.read(reader)`
}

function readTagsSource(tagged: readonly Field[], place: ReadonlyMap<Field, number>, last: number): string {
  const cases = tagged.map((field) => {
    const index = place.get(field)!
    return `case ${field.codec.tag}: at = ${index}; value${index} = codec${index}.read(reader); break`
  })
  return `
    at = ${last}
    const count = reader.uvarint()
    if (count > 0) {
      const end = reader.end
      let tag = -1
      for (let done = 0; done < count; done++) {
        tag = reader.beginTag(tag)
        switch (tag) { ${cases.join('\n')}
          default: reader.skipTag()
        }
        reader.endTag(end)
        at = ${last}
      }
    }`
}

function writeSource({ name, codec }: Field, index: number): string {
  if (codec.tag !== undefined) return ''
  if (codec.write === dropped) return ''
  return `
    at = ${index}
    const value${index} = struct.${name}
    codec${index}.write(writer, value${index} === undefined ? absent${index} : value${index})`
}

function writeTagsSource(tagged: readonly Field[], place: ReadonlyMap<Field, number>): string {
  if (tagged.length === 0) return 'writer.uvarint(0)'
  const indexes = tagged.map((field) => ({ ...field, index: place.get(field)! }))
  return `
    let count = 0
    ${indexes
      .map(
        ({ name, index }) => `
        const value${index} = struct.${name}
        const set${index} = value${index} !== undefined && !type${index}.isAbsent(value${index})
        if (set${index}) count++`,
      )
      .join('\n')}
    writer.uvarint(count)
    ${indexes
      .map(
        ({ codec, index }) => `
        if (set${index}) {
          at = ${index}
          const mark = writer.beginTag(${codec.tag})
          codec${index}.write(writer, value${index})
          writer.endTag(mark)
        }`,
      )
      .join('\n')}`
}

/** An int8 before the struct: -1 is null, 1 is there. Kafka reads any negative as null, anything else as there. */
function orNull<T>(codec: Codec<T>): Codec<T | null> {
  return {
    read: (reader) => (reader.int8() < 0 ? null : codec.read(reader)),
    write: (writer, value) => {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) codec.write(writer, value)
    },
    bytesMin: 1,
    shape: { kind: 'nullable', of: codec.shape },
  }
}

/** In the tag section the marker is a varint: 0 is null, 1 is there. */
function taggedOrNull<T>(codec: Codec<T>): Codec<T | null> {
  return {
    read: (reader) => (reader.uvarint() === 0 ? null : codec.read(reader)),
    write: (writer, value) => {
      writer.uvarint(value === null ? 0 : 1)
      if (value !== null) codec.write(writer, value)
    },
    bytesMin: 1,
    shape: { kind: 'nullable', of: codec.shape },
  }
}
