import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeUuid, encodeUuid, ZERO_UUID } from './uuid.ts'

const sixteenBytes = fc.uint8Array({ minLength: 16, maxLength: 16 })

test('a uuid is written as base64url without padding', () => {
  fc.assert(
    fc.property(sixteenBytes, (bytes) => {
      assert.equal(encodeUuid(bytes), Buffer.from(bytes).toString('base64url'))
    }),
  )
})

test('a uuid comes back as the bytes it was made of, from any offset', () => {
  fc.assert(
    fc.property(sixteenBytes, fc.nat(5), (bytes, offset) => {
      const padded = Buffer.concat([Buffer.alloc(offset, 7), bytes, Buffer.alloc(3, 9)])
      assert.deepEqual(decodeUuid(encodeUuid(padded, offset)), bytes)
    }),
  )
})

test('sixteen zero bytes are the zero uuid', () => {
  assert.equal(encodeUuid(new Uint8Array(16)), ZERO_UUID)
  assert.deepEqual(decodeUuid(ZERO_UUID), new Uint8Array(16))
})

const notUuids = [
  { what: 'nothing', text: '' },
  { what: 'a character less', text: 'AAAAAAAAAAAAAAAAAAAAA' },
  { what: 'a character more', text: 'AAAAAAAAAAAAAAAAAAAAAAA' },
  { what: 'a character of base64 that base64url lacks', text: 'AAAAAAAAAA+AAAAAAAAAAA' },
  { what: 'a character beyond ASCII', text: 'AAAAAAAAAAéAAAAAAAAAAA' },
  { what: 'bits beyond the sixteenth byte', text: 'AAAAAAAAAAAAAAAAAAAAAB' },
]
for (const { what, text } of notUuids) {
  test(`not a uuid: ${what}`, () => assert.equal(decodeUuid(text), null))
}
