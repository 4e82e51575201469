// Values for a codec, made from its shape: whatever a version can carry, and the default where it has no field.

import * as fc from 'fast-check'
import { encodeUuid } from '../../src/lib/uuid.ts'
import type { Codec, Shape } from '../../src/protocol/schema/index.ts'

const bytes = fc.uint8Array({ maxLength: 9 }).map((content) => Buffer.from(content))

const integer = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })

const primitives = {
  bool: fc.boolean(),
  int8: integer(8),
  int16: integer(16),
  int32: integer(32),
  int64: fc.maxSafeInteger(),
  bigint64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  float64: fc.double(),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((content) => encodeUuid(content)),
  string: fc.oneof(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9, unit: 'binary' })),
  bytes,
  records: bytes.map((content) => [content]),
}

function ofShape(shape: Shape, absent: unknown): fc.Arbitrary<unknown> {
  if (shape.kind === 'lacking') return fc.constant(absent)
  if (shape.kind === 'nullable') return fc.option(ofShape(shape.of, undefined), { freq: 4 })
  if (shape.kind === 'array') return fc.array(ofShape(shape.of, undefined), { maxLength: 2 })
  if (shape.kind !== 'struct') return primitives[shape.kind]
  return fc.record(
    Object.fromEntries(
      shape.fields.map((field): [string, fc.Arbitrary<unknown>] => {
        const present = ofShape(field.shape, field.absent)
        return [field.name, field.tag === undefined ? present : fc.oneof(fc.constant(field.absent), present)]
      }),
    ),
    { noNullPrototype: true },
  )
}

export function valuesOf<T>(codec: Codec<T>): fc.Arbitrary<T> {
  return ofShape(codec.shape, undefined) as fc.Arbitrary<T>
}
