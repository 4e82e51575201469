import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  type ByteCursor,
  readUnsignedVarint,
  readVarint,
  readVarlong,
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  VarintError,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from './varint.ts'

const kinds = [
  {
    name: 'unsigned',
    read: readUnsignedVarint,
    write: writeUnsignedVarint,
    size: sizeOfUnsignedVarint,
    values: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    bytesMax: 5,
  },
  {
    name: 'zig-zag 32-bit',
    read: readVarint,
    write: writeVarint,
    size: sizeOfVarint,
    values: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    bytesMax: 5,
  },
  {
    name: 'zig-zag 64-bit',
    read: readVarlong,
    write: writeVarlong,
    size: sizeOfVarlong,
    values: fc.oneof(fc.maxSafeInteger(), fc.integer()),
    bytesMax: 10,
  },
]

for (const { name, read, write, size, values, bytesMax } of kinds) {
  test(`${name} numbers read back as they were written, in the size foretold`, () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 3 }), (value, from) => {
        const bytes = new Uint8Array(16)
        const to = write(bytes, from, value)
        assert.equal(to - from, size(value))
        const cursor = { bytes, at: from, end: to }
        assert.equal(read(cursor), value)
        assert.equal(cursor.at, to)
      }),
      { numRuns: 2000 },
    )
  })

  test(`${name} numbers that end too early are an error, and nothing beyond the end is read`, () => {
    fc.assert(
      fc.property(values, fc.nat(9), (value, cut) => {
        const bytes = new Uint8Array(16)
        const length = write(bytes, 0, value)
        const cursor = { bytes, at: 0, end: cut % length }
        assert.throws(() => read(cursor), VarintError)
        assert.equal(cursor.at, 0)
      }),
    )
  })

  test(`${name} numbers longer than ${bytesMax} bytes are an error`, () => {
    const endless = new Uint8Array(20).fill(0x80)
    assert.throws(() => read(cursorOver(endless)), VarintError)
    const longest = Uint8Array.from(endless)
    longest[bytesMax - 1] = 0
    assert.equal(read(cursorOver(longest)), 0)
    longest[bytesMax - 1] = 0x80
    longest[bytesMax] = 0
    assert.throws(() => read(cursorOver(longest)), VarintError)
  })
}

const encodings = [
  { write: writeUnsignedVarint, value: 300, hex: 'ac02' },
  { write: writeUnsignedVarint, value: 2 ** 32 - 1, hex: 'ffffffff0f' },
  { write: writeVarint, value: -1, hex: '01' },
  { write: writeVarint, value: 1, hex: '02' },
  { write: writeVarint, value: -64, hex: '7f' },
  { write: writeVarint, value: 64, hex: '8001' },
  { write: writeVarint, value: -(2 ** 31), hex: 'ffffffff0f' },
  { write: writeVarlong, value: -(2 ** 31) - 1, hex: '8180808010' },
  { write: writeVarlong, value: 2 ** 31, hex: '8080808010' },
  { write: writeVarlong, value: Number.MAX_SAFE_INTEGER, hex: 'feffffffffffff1f' },
]
for (const { write, value, hex } of encodings) {
  test(`${write.name} encodes ${value} as ${hex}`, () => {
    const bytes = Buffer.alloc(16)
    assert.equal(bytes.subarray(0, write(bytes, 0, value)).toString('hex'), hex)
  })
}

test('64-bit numbers beyond what a double holds are rounded, with their sign', () => {
  const min = cursorOver(Buffer.from('ffffffffffffffffff01', 'hex'))
  const max = cursorOver(Buffer.from('feffffffffffffffff01', 'hex'))
  assert.equal(readVarlong(min), -(2 ** 63))
  assert.equal(readVarlong(max), 2 ** 63)
})

function cursorOver(bytes: Uint8Array): ByteCursor {
  return { bytes, at: 0, end: bytes.length }
}
