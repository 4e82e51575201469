import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sipHash128 } from './siphash.ts'

// The reference implementation's vectors (vectors_sip128): key 00..0f, input 00, 00 01, ...
const vectors = [
  { length: 0, hash: 'a3817f04ba25a8e66df67214c7550293' },
  { length: 1, hash: 'da87c1d86b99af44347659119b22fc45' },
]
const key = new Int32Array([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c])

function hashOf(bytes: Uint8Array, from = 0, to = bytes.length, words = key): string {
  const out = new Int32Array(4)
  sipHash128(out, words, bytes, from, to)
  return Buffer.from(out.buffer).toString('hex')
}

for (const { length, hash } of vectors) {
  test(`${length} bytes hash as in the reference implementation`, () => {
    assert.equal(hashOf(Uint8Array.from({ length }, (_, i) => i)), hash)
  })
}

test('the hash is of the bytes in the range, wherever they lie', () => {
  const bytes = Buffer.from('..some key of nineteen..')
  for (let to = 2; to <= bytes.length; to++)
    assert.equal(hashOf(bytes, 2, to), hashOf(Buffer.from(bytes.subarray(2, to))))
})

test('every bit of the input and of the key counts', () => {
  for (const length of [1, 7, 8, 9, 16, 21]) {
    const bytes = Buffer.alloc(length, 0x5a)
    const seen = new Set([hashOf(bytes)])
    for (let bit = 0; bit < 8 * length; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      seen.add(hashOf(flipped))
    }
    for (let bit = 0; bit < 128; bit++) {
      const flipped = Int32Array.from(key)
      flipped[bit >> 5]! ^= 1 << (bit & 31)
      seen.add(hashOf(bytes, 0, length, flipped))
    }
    assert.equal(seen.size, 1 + 8 * length + 128)
  }
})
