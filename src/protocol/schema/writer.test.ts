import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EncodeError } from './errors.ts'
import { WireWriter } from './writer.ts'

function written(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter()
  writer.begin()
  write(writer)
  return Buffer.concat(writer.end())
}

test('numbers outside their type are refused, not wrapped', () => {
  const refused: ((writer: WireWriter) => void)[] = [
    (writer) => writer.int8(128),
    (writer) => writer.int16(-32_769),
    (writer) => writer.uint16(-1),
    (writer) => writer.uint16(65_536),
    (writer) => writer.int32(2 ** 31),
    (writer) => writer.int32(1.5),
    (writer) => writer.int32(Number.NaN),
    (writer) => writer.uint32(2 ** 32),
    (writer) => writer.int64(2 ** 53),
    (writer) => writer.bigint64(2n ** 63n),
    (writer) => writer.uuid('short'),
    (writer) => writer.string('x'.repeat(32_768), true),
    (writer) => writer.string('é'.repeat(20_000), false),
  ]
  for (const write of refused) assert.throws(() => written(write), EncodeError)
})

test('64-bit numbers are big-endian, also below zero', () => {
  for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32), 2 ** 40 + 7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    assert.equal(written((writer) => writer.int64(value)).readBigInt64BE(), BigInt(value))
  }
})

test('a string has its length in bytes before it', () => {
  assert.equal(written((writer) => writer.string('ab', false)).toString('hex'), '00026162')
  assert.equal(written((writer) => writer.string('ab', true)).toString('hex'), '036162')
  assert.equal(written((writer) => writer.string('é', false)).toString('hex'), '0002c3a9')
  assert.equal(written((writer) => writer.string('é'.repeat(100), true)).toString('hex'), `c901${'c3a9'.repeat(100)}`)
})

test('a message larger than a slab grows, and the next is not disturbed', () => {
  const writer = new WireWriter()
  const messages = Array.from({ length: 5 }, (_, index) => {
    writer.beginFrame()
    for (let number = 0; number < 20_000; number++) writer.int32(number + index)
    return writer.endFrame()
  })
  messages.forEach((chunks, index) => {
    const bytes = Buffer.concat(chunks)
    assert.equal(bytes.length, 80_004)
    assert.equal(bytes.readInt32BE(0), 80_000)
    for (let number = 0; number < 20_000; number++) assert.equal(bytes.readInt32BE(4 + 4 * number), number + index)
  })
})

test('large bytes are chunks of their own, not copies; small ones are copied', () => {
  const large = Buffer.alloc(2000, 1)
  const small = Buffer.alloc(10, 2)
  const writer = new WireWriter()
  writer.beginFrame()
  writer.raw(small)
  writer.raw(large)
  writer.raw(large)
  writer.int8(3)
  const chunks = writer.endFrame()
  assert.equal(chunks.length, 4)
  assert.equal(chunks[1], large)
  assert.equal(chunks[2], large)
  const bytes = Buffer.concat(chunks)
  assert.equal(bytes.readInt32BE(0), 10 + 2000 + 2000 + 1)
  assert.deepEqual(bytes, Buffer.concat([bytes.subarray(0, 4), small, large, large, Buffer.from([3])]))
})

test('references keep their place when the slab grows after them', () => {
  const large = Buffer.alloc(2000, 1)
  const bytes = written((writer) => {
    writer.int8(7)
    writer.raw(large)
    for (let number = 0; number < 100_000; number++) writer.int8(9)
  })
  assert.deepEqual(bytes, Buffer.concat([Buffer.from([7]), large, Buffer.alloc(100_000, 9)]))
})

for (const size of [0, 1, 127, 128, 1000, 20_000]) {
  test(`a tagged field of ${size} bytes has its size before it`, () => {
    const content = Buffer.alloc(size, 5)
    const bytes = written((writer) => {
      writer.int8(1)
      const mark = writer.beginTag(3)
      writer.raw(content)
      writer.endTag(mark)
      writer.int8(2)
    })
    const expected = written((writer) => {
      writer.int8(1)
      writer.uvarint(3)
      writer.uvarint(size)
      writer.raw(content)
      writer.int8(2)
    })
    assert.deepEqual(bytes, expected)
  })
}

test('a tagged field inside a tagged field is counted whole', () => {
  const bytes = written((writer) => {
    const outer = writer.beginTag(0)
    const inner = writer.beginTag(1)
    writer.raw(Buffer.alloc(200, 5))
    writer.endTag(inner)
    writer.endTag(outer)
  })
  assert.equal(bytes.subarray(0, 6).toString('hex'), '00cb0101c801')
  assert.equal(bytes.length, 3 + 3 + 200)
})

test('what an error broke off leaves nothing behind', () => {
  const writer = new WireWriter()
  writer.begin()
  writer.raw(Buffer.alloc(5000))
  writer.int8(1)
  writer.abandon()
  writer.beginFrame()
  writer.int8(2)
  assert.equal(Buffer.concat(writer.endFrame()).toString('hex'), '0000000102')
})
