import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from './crc32c.ts'

const bytes = Buffer.from('123456789')

test('the checksum is the Castagnoli one', () => {
  assert.equal(crc32c(bytes), 0xe3069283)
  assert.equal(crc32c(new Uint8Array(0)), 0)
})

test('a checksum can be continued over the bytes that follow', () => {
  assert.equal(crc32c(bytes.subarray(4), crc32c(bytes.subarray(0, 4))), crc32c(bytes))
})
