// A count and that many elements. The count has a form for null.

import { compile } from './compile.ts'
import { within } from './errors.ts'
import { strictlyLacking } from './lacking.ts'
import { inside } from './type.ts'
import type { Codec, NullableType, Shape, Type } from './type.ts'

function arrayCodec<T, N>(element: Codec<T>, compact: boolean, nullable: boolean): Codec<readonly T[] | N> {
  const { read, write } = compile(
    { element, within },
    `{
      read(reader) {
        const count = ${compact ? 'reader.uvarint() - 1' : 'reader.int32()'}
        if (count < 0) {
          if (count < -1) reader.fail('array of ' + count)
          ${nullable ? 'return null' : "reader.fail('null, which this version does not allow')"}
        }
        reader.checkCount(count, ${element.bytesMin})
        const values = []
        let at = 0
        try {
          for (; at < count; at++) values.push(element.read(reader))
        } catch (error) {
          throw within(error, at)
        }
        return values
      },
      write(writer, values) {
        ${nullable ? `if (values === null) return ${compact ? 'writer.uvarint(0)' : 'writer.int32(-1)'}` : ''}
        const count = values.length
        ${compact ? 'writer.uvarint(count + 1)' : 'writer.int32(count)'}
        let at = 0
        try {
          for (; at < count; at++) element.write(writer, values[at])
        } catch (error) {
          throw within(error, at)
        }
      },
    }`,
  ) as Pick<Codec<readonly T[] | N>, 'read' | 'write'>
  const shape: Shape = { kind: 'array', compact, of: element.shape }
  return { read, write, bytesMin: compact ? 1 : 4, shape: nullable ? { kind: 'nullable', of: shape } : shape }
}

export function array<T>(element: Type<T>): NullableType<readonly T[]> {
  const absent: readonly T[] = []
  const isAbsent = (value: readonly T[]) => value.length === 0
  return {
    absent,
    isAbsent,
    at: (wire) => arrayCodec<T, never>(element.at(inside(wire)), wire.flexible, false),
    orNull: (wire) => arrayCodec<T, null>(element.at(inside(wire)), wire.flexible, true),
    lacking: strictlyLacking({ absent, isAbsent }),
  }
}
