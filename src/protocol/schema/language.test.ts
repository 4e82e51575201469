import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  between,
  bytes,
  DecodeError,
  emptyOrNull,
  EncodeError,
  ignorable,
  int32,
  int8,
  message,
  neverCompactString,
  nullable,
  nullableSince,
  records,
  since,
  string,
  struct,
  tagged,
  until,
  WireReader,
  WireWriter,
  withDefault,
} from './index.ts'
import type { Fields, InputOf, Message, StructOf } from './index.ts'

/** Hex in groups, for the reader. */
const spaced = (parts: TemplateStringsArray) => parts.join('').replaceAll(' ', '')

/** Versions 0 to 9, flexible from 5 on. */
const of = <const F extends Fields>(fields: F) => message({ versions: [0, 9], flexibleSince: 5, fields })

function encode<T>(type: Message<T>, version: number, value: InputOf<T>): string {
  const writer = new WireWriter()
  writer.begin()
  type.at(version).write(writer, value as T)
  return Buffer.concat(writer.end()).toString('hex')
}

function decode<T>(type: Message<T>, version: number, hex: string): T {
  const reader = new WireReader(Buffer.from(hex, 'hex'))
  const value = type.at(version).read(reader)
  reader.finish()
  return value
}

function goesBothWays<T>(type: Message<T>, version: number, value: T, hex: string): void {
  assert.equal(encode(type, version, value as InputOf<T>), hex)
  assert.deepEqual(decode(type, version, hex), value)
}

const refuses = (act: () => unknown, path: string, reason: RegExp) =>
  assert.throws(act, (error) => {
    assert.ok(error instanceof DecodeError || error instanceof EncodeError)
    assert.equal(error.path, path)
    assert.match(error.reason, reason)
    assert.ok(error.message.startsWith(`${path}: `))
    return true
  })

test('fields come in order; a flexible version has a tag section after them', () => {
  const type = of({ one: int8, two: int32 })
  goesBothWays(type, 0, { one: 1, two: 2 }, '0100000002')
  goesBothWays(type, 5, { one: 1, two: 2 }, '010000000200')
})

test('text, bytes, records and arrays have compact lengths in flexible versions', () => {
  const type = of({ text: string, content: bytes, batches: records, list: array(int8) })
  const value = { text: 'a', content: Buffer.from([1, 2]), batches: [Buffer.from([3])], list: [4, 5] }
  goesBothWays(type, 4, value, spaced`000161 000000020102 0000000103 000000020405`)
  goesBothWays(type, 5, value, spaced`0261 030102 0203 030405 00`)
})

test('a string that is never compact keeps its int16 length', () => {
  goesBothWays(of({ clientId: nullable(neverCompactString) }), 9, { clientId: 'c' }, '00016300')
  goesBothWays(of({ clientId: nullable(neverCompactString) }), 9, { clientId: null }, 'ffff00')
})

test('null has a form in text, bytes, records, arrays and structs', () => {
  const type = of({
    text: nullable(string),
    content: nullable(bytes),
    batches: nullable(records),
    list: nullable(array(int8)),
    inner: nullable(struct({ one: int8 })),
  })
  const nulls = { text: null, content: null, batches: null, list: null, inner: null }
  goesBothWays(type, 0, nulls, spaced`ffff ffffffff ffffffff ffffffff ff`)
  goesBothWays(type, 5, nulls, spaced`00 00 00 00 ff 00`)
  goesBothWays(type, 5, { ...nulls, inner: { one: 7 } }, spaced`00 00 00 00 010700 00`)
})

test('null where it is not allowed is refused, in both directions', () => {
  const type = of({ text: nullableSince(1, string), list: emptyOrNull(array(int8)) })
  goesBothWays(type, 1, { text: null, list: null }, 'ffffffffffff')
  refuses(() => decode(type, 0, 'ffffffffffff'), 'text', /null/)
  refuses(() => encode(type, 0, { text: null }), 'text', /null/)
  assert.equal(encode(type, 0, {}), '000000000000')
  refuses(() => decode(of({ list: array(int8) }), 0, 'ffffffff'), 'list', /null/)
  refuses(() => decode(of({ content: bytes }), 5, '0000'), 'content', /null/)
})

test('lengths below -1 are refused', () => {
  refuses(() => decode(of({ text: nullable(string) }), 0, 'fffe'), 'text', /-2/)
  refuses(() => decode(of({ content: nullable(bytes) }), 0, 'fffffffe'), 'content', /-2/)
  refuses(() => decode(of({ list: nullable(array(int8)) }), 0, 'fffffffe'), 'list', /-2/)
})

test('a version that lacks a field reads its default', () => {
  const type = of({
    always: int8,
    later: since(2, withDefault(int8, -1)),
    once: until(1, string),
    middle: between(1, 2, int8),
  })
  assert.deepEqual(decode(type, 0, '010000'), { always: 1, later: -1, once: '', middle: 0 })
  assert.deepEqual(decode(type, 2, '010203'), { always: 1, later: 2, once: '', middle: 3 })
  assert.deepEqual(decode(type, 3, '0102'), { always: 1, later: 2, once: '', middle: 0 })
})

test('setting a field in a version that lacks it is refused, unless it is the default or ignorable', () => {
  const type = of({ strict: since(2, withDefault(int8, -1)), lenient: since(2, ignorable(int8)) })
  assert.equal(encode(type, 0, { strict: -1, lenient: 5 }), '')
  assert.equal(encode(type, 0, {}), '')
  refuses(() => encode(type, 0, { strict: 0 }), 'strict', /lacks the field/)
  assert.equal(encode(type, 2, { strict: 3, lenient: 5 }), '0305')
})

test('every version gives the same fields in the same order', () => {
  const type = of({ one: since(1, int8), two: int8, three: since(5, tagged(0, int8)) })
  for (let version = 0; version <= 9; version++) {
    const hex = encode(type, version, { two: 2 })
    assert.deepEqual(Object.entries(decode(type, version, hex)), Object.entries({ one: 0, two: 2, three: 0 }))
  }
})

const withTags = of({
  first: int8,
  five: since(5, tagged(5, nullable(string))),
  two: since(5, tagged(2, int8, -1)),
  seven: since(6, tagged(7, struct({ epoch: withDefault(int32, -1) }))),
})

test('tagged fields are written in the order of their tags, and left out when they are the default', () => {
  assert.equal(encode(withTags, 6, { first: 1, five: 'x', two: 3 }), spaced`01 02 020103 05020278`)
  assert.equal(encode(withTags, 6, { first: 1, five: null, two: -1, seven: { epoch: -1 } }), '0100')
  assert.equal(encode(withTags, 6, { first: 1, seven: {} }), '0100')
  assert.equal(encode(withTags, 6, { seven: { epoch: 9 } }), spaced`00 01 0705 00000009 00`)
  const value: StructOf<{ epoch: typeof int32 }> = { epoch: 9 }
  goesBothWays(withTags, 6, { first: 0, five: 'x', two: -1, seven: value }, spaced`00 02 05020278 0705 0000000900`)
})

test('tags that are unknown, or not known in this version, are skipped', () => {
  const absent = { first: 1, five: null, two: -1, seven: { epoch: -1 } }
  assert.deepEqual(decode(withTags, 6, spaced`01 02 0003aabbcc 6300`), absent)
  assert.deepEqual(decode(withTags, 5, spaced`01 01 0705 0000000900`), absent)
  assert.deepEqual(decode(withTags, 6, spaced`01 03 0101ff 020104 0901ff`), { ...absent, two: 4 })
})

test('tags must rise, and be as long as they say', () => {
  refuses(() => decode(withTags, 6, spaced`01 02 020103 020103`), 'tags', /tag 2 after tag 2/)
  refuses(() => decode(withTags, 6, spaced`01 02 050100 020103`), 'tags', /tag 2 after tag 5/)
  refuses(() => decode(withTags, 6, spaced`01 01 02020304`), 'two', /1 bytes left over/)
  refuses(() => decode(withTags, 6, spaced`01 01 0200 00000000`), 'two', /1 bytes expected, 0 left/)
  refuses(() => decode(withTags, 6, spaced`01 01 027f03`), 'tags', /127 bytes, 1 left/)
  refuses(() => decode(withTags, 6, spaced`01 ffffffff0f`), 'tags', /1 bytes expected, 0 left/)
})

test('a tagged struct that may be null has a varint before it', () => {
  const type = of({ inner: since(5, tagged(0, nullable(struct({ one: int8 })))) })
  goesBothWays(type, 5, { inner: { one: 7 } }, spaced`01 00 03 010700`)
  goesBothWays(type, 5, { inner: null }, '00')
  const byDefault = of({ inner: since(5, tagged(0, emptyOrNull(struct({ one: int8 })))) })
  goesBothWays(byDefault, 5, { inner: null }, spaced`01 00 01 00`)
  goesBothWays(byDefault, 5, { inner: { one: 0 } }, '00')
})

test('a tagged field outside the flexible versions is a mistake in the definition', () => {
  assert.throws(() => of({ one: tagged(0, int8) }).at(4), /tagged field in version 4/)
})

test('errors say which field of which element', () => {
  const type = of({ topics: array(struct({ name: string, partitions: array(struct({ index: int32 })) })) })
  const hex = spaced`00000001 000161 00000002 00000001 0000`
  refuses(() => decode(type, 0, hex), 'topics[0].partitions', /2 elements in 6 bytes/)
  refuses(() => decode(type, 0, spaced`00000001 0001ff 00000000`), 'topics[0].name', /UTF-8/)
  const topics = [{ name: 'a' }, { name: 'b', partitions: [{}, { index: 2 ** 40 }] }]
  refuses(() => encode(type, 0, { topics }), 'topics[1].partitions[1].index', /not an int32/)
})

test('an absurd count is refused before its array is made', () => {
  refuses(() => decode(of({ list: array(int32) }), 0, '0000000200000000'), 'list', /2 elements in 4 bytes/)
  refuses(() => decode(of({ list: array(struct({})) }), 0, '00000001'), 'list', /1 elements in 0 bytes/)
  refuses(() => decode(of({ list: array(int32) }), 0, '7fffffff00000000'), 'list', /more than 2000000 elements/)
  refuses(() => decode(of({ list: array(struct({})) }), 0, '7fffffff'), 'list', /more than 2000000 elements/)
  refuses(() => decode(of({ list: array(int32) }), 5, 'ffffffff0f00'), 'list', /more than 2000000 elements/)
})

test('records are read as one view and written from many chunks', () => {
  const type = of({ batches: nullable(records) })
  const large = Buffer.alloc(3000, 1)
  const writer = new WireWriter()
  writer.begin()
  type.at(0).write(writer, { batches: [Buffer.from([9]), large, Buffer.from([8])] })
  const chunks = writer.end()
  assert.equal(chunks[1], large)
  const frame = Buffer.concat(chunks)
  const { batches } = type.at(0).read(new WireReader(frame))
  assert.deepEqual(batches, [Buffer.concat([Buffer.from([9]), large, Buffer.from([8])])])
  assert.equal(batches[0]!.buffer, frame.buffer)
})

test('a version outside the range has no codec', () => {
  const type = of({ one: int8 })
  assert.ok(!type.has(10))
  assert.ok(!type.has(-1))
  assert.ok(!type.has(1.5))
  assert.throws(() => type.at(10), /version 10 is outside 0-9/)
})

test('a name that is no identifier cannot be a field', () => {
  assert.throws(() => struct({ 'a b': int8 }), TypeError)
})
