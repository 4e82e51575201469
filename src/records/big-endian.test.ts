import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readInt16, readInt32, readInt64, readUint32, writeInt16, writeInt32, writeInt64 } from './big-endian.ts'

test('integers are written as Buffer writes them, and read back', () => {
  const int64 = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(0, -1, 2 ** 32, 2 ** 32 - 1, -(2 ** 32), -(2 ** 32) - 1, 2 ** 31, -(2 ** 31)),
  )
  fc.assert(
    fc.property(int64, fc.integer(), fc.integer({ min: -32_768, max: 32_767 }), (long, int, short) => {
      const bytes = Buffer.alloc(14)
      writeInt64(bytes, 0, long)
      writeInt32(bytes, 8, int)
      writeInt16(bytes, 12, short)
      assert.equal(bytes.readBigInt64BE(0), BigInt(long))
      assert.equal(bytes.readInt32BE(8), int)
      assert.equal(bytes.readInt16BE(12), short)
      assert.equal(readInt64(bytes, 0), long)
      assert.equal(readInt32(bytes, 8), int)
      assert.equal(readUint32(bytes, 8), int >>> 0)
      assert.equal(readInt16(bytes, 12), short)
    }),
    { numRuns: 1000 },
  )
})
