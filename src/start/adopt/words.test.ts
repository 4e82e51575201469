import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesInWords, listed, plural } from './words.ts'

test('long lists are cut, and say by how much', () => {
  assert.equal(listed(['a', 'b']), 'a, b')
  assert.equal(listed(Array.from({ length: 11 }, (_, i) => `t${i}`)), 't0, t1, t2, t3, t4, t5, t6, t7 and 3 more')
})

test('one is not many', () => {
  assert.deepEqual([plural(0, 'topic'), plural(1, 'topic'), plural(2, 'topic')], ['0 topics', '1 topic', '2 topics'])
})

for (const [bytes, words] of [
  [0, '0 bytes'],
  [812, '812 bytes'],
  [3400, '3.4 KB'],
  [68_000, '68 KB'],
  [999_499, '999 KB'],
  [999_600, '1.0 MB'],
  [2.5e15, '2.5 PB'],
] as const) {
  test(`${bytes} bytes are ${words}`, () => assert.equal(bytesInWords(bytes), words))
}
