import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError } from './errors.ts'
import { ELEMENTS_MAX, WireReader } from './reader.ts'

const reading = (...bytes: number[]) => new WireReader(Buffer.from(bytes))
const refuses = (read: () => unknown, reason: RegExp) =>
  assert.throws(read, (error) => error instanceof DecodeError && reason.test(error.reason))

const uvarints = [
  { bytes: [0x00], value: 0 },
  { bytes: [0x7f], value: 127 },
  { bytes: [0x80, 0x01], value: 128 },
  { bytes: [0xff, 0x7f], value: 16_383 },
  { bytes: [0xff, 0xff, 0xff, 0xff, 0x0f], value: 0xffff_ffff },
  { bytes: [0x80, 0x00], value: 0 },
]
for (const { bytes, value } of uvarints) {
  test(`the varint ${Buffer.from(bytes).toString('hex')} is ${value}`, () => {
    const reader = reading(...bytes)
    assert.equal(reader.uvarint(), value)
    reader.finish()
  })
}

test('a varint of more than 32 bits is refused', () => {
  refuses(() => reading(0xff, 0xff, 0xff, 0xff, 0x10).uvarint(), /32 bits/)
  refuses(() => reading(0x80, 0x80, 0x80, 0x80, 0x80, 0x01).uvarint(), /32 bits/)
})

test('numbers are big-endian and signed unless they say otherwise', () => {
  assert.equal(reading(0xff).int8(), -1)
  assert.equal(reading(0x80, 0x00).int16(), -32_768)
  assert.equal(reading(0x80, 0x00).uint16(), 32_768)
  assert.equal(reading(0x80, 0, 0, 0).int32(), -(2 ** 31))
  assert.equal(reading(0x80, 0, 0, 0).uint32(), 2 ** 31)
  assert.equal(reading(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe).int64(), -2)
  assert.equal(reading(0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18).float64(), Math.PI)
})

test('an int64 is exact up to 2^53 and refused beyond', () => {
  const of = (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    return new WireReader(bytes)
  }
  const safe = BigInt(Number.MAX_SAFE_INTEGER)
  assert.equal(of(safe).int64(), Number.MAX_SAFE_INTEGER)
  assert.equal(of(-safe).int64(), Number.MIN_SAFE_INTEGER)
  for (const value of [safe + 1n, -safe - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    refuses(() => of(value).int64(), /beyond 2\^53/)
    assert.equal(of(value).bigint64(), value)
  }
})

test('a string is UTF-8, with a byte order mark kept', () => {
  for (const text of ['', 'topic', 'größe', '\u{feff}bom', '🪢', 'x'.repeat(300)]) {
    const bytes = Buffer.from(text)
    assert.equal(new WireReader(bytes).string(bytes.length), text)
  }
})

test('a string read again is the same, whatever was read in between', () => {
  const texts = Array.from({ length: 5000 }, (_, index) => `topic-${index % 1700}`)
  for (const text of texts) assert.equal(new WireReader(Buffer.from(text)).string(text.length), text)
})

test('a string that is not UTF-8 is refused', () => {
  for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    refuses(() => reading(...bytes).string(bytes.length), /UTF-8/)
  }
})

test('a string of more than 32767 bytes is refused', () => {
  const bytes = Buffer.alloc(40_000, 0x61)
  assert.equal(new WireReader(bytes).string(32_767).length, 32_767)
  refuses(() => new WireReader(bytes).string(32_768), /32768 bytes/)
})

test('bytes are a view of the frame, not a copy', () => {
  const frame = Buffer.from([1, 2, 3])
  const view = new WireReader(frame, 1).view(2)
  frame[1] = 9
  assert.deepEqual([...view], [9, 3])
})

test('reading past the end is refused and says where', () => {
  const reader = reading(1, 2, 3)
  reader.int8()
  assert.throws(() => reader.int32(), { name: 'DecodeError', offset: 1, reason: '4 bytes expected, 2 left' })
})

test('a count that the bytes cannot hold is refused before anything is made for it', () => {
  refuses(() => reading(1, 2, 3).checkCount(2, 2), /2 elements in 3 bytes/)
  refuses(() => reading(1, 2, 3).checkCount(4, 0), /4 elements in 3 bytes/)
  reading(1, 2, 3).checkCount(3, 1)
})

test('the elements of all arrays of a frame are bounded together', () => {
  const reader = new WireReader(Buffer.alloc(ELEMENTS_MAX))
  reader.checkCount(ELEMENTS_MAX / 2, 1)
  reader.checkCount(ELEMENTS_MAX / 2, 1)
  refuses(() => reader.checkCount(1, 1), /more than 2000000 elements/)
})

test('bytes left over are refused', () => {
  refuses(() => reading(0).finish(), /1 bytes left over/)
})
